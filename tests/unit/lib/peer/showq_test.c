/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <string.h>

#include "lib/peer/showq.h"

/* As Postfix 3.7's showq sent it. */
static const char golden[] =
    "protocol\0mail_queue_list_protocol\0\0"
    "queue_name\0deferred\0queue_id\00033EFCA72426\0time\0001795330526\0size\000259\0"
    "forced_expire\0000\0sender\0a@b.example\0"
    "recipient\0x@y.example\0reason\0deferred transport\0"
    "recipient\0z@y.example\0reason\0\0\0"
    "queue_name\0maildrop\0queue_id\00036A7CA72424\0time\0001795330526\0size\0000\0"
    "forced_expire\0001\0sender\0MAILER-DAEMON\0\0"; /* the literal's own zero ends the list */

static const struct showq_message first = {
    "deferred", "33EFCA72426", 1795330526, 259, false, "a@b.example"};
static const struct showq_message second = {
    "maildrop", "36A7CA72424", 1795330526, 0, true, "MAILER-DAEMON"};

START_TEST(writes_postfix_bytes)
{
	const struct showq_rcpt rcpts[] = {
	    {"x@y.example", "deferred transport"}, {"z@y.example", ""}};
	struct str out = {0};

	showq_put_begin(&out);
	showq_put_message(&out, &first);
	showq_put_rcpt(&out, &rcpts[0]);
	showq_put_rcpt(&out, &rcpts[1]);
	showq_put_message_end(&out);
	showq_put_message(&out, &second);
	showq_put_message_end(&out);
	showq_put_end(&out);
	ck_assert_uint_eq(out.len, sizeof(golden));
	ck_assert_mem_eq(out.data, golden, sizeof(golden));
	str_fini(&out);
}
END_TEST

static void print(struct str *seen, const struct showq_reader *r, enum showq_event event)
{
	if (event == SHOWQ_MESSAGE)
		str_printf(seen, "%s/%s %lld %lld %d %s;", r->message.queue_name,
		    r->message.queue_id, (long long)r->message.time, (long long)r->message.size,
		    r->message.forced_expire, r->message.sender);
	else if (event == SHOWQ_RCPT)
		str_printf(seen, "%s(%s);", r->rcpt.address, r->rcpt.reason);
	else if (event == SHOWQ_END)
		str_put_text(seen, "end");
}

START_TEST(reads_in_pieces)
{
	for (size_t piece = 1; piece <= sizeof(golden); piece++) {
		struct showq_reader r = {0};
		struct str seen = {0};

		for (size_t at = 0; at < sizeof(golden); at += piece) {
			enum showq_event event;

			showq_feed(&r, golden + at,
			    sizeof(golden) - at < piece ? sizeof(golden) - at : piece);
			while ((event = showq_next(&r)) != SHOWQ_MORE && event != SHOWQ_BAD &&
			       event != SHOWQ_END)
				print(&seen, &r, event);
			ck_assert_int_ne(event, SHOWQ_BAD);
			print(&seen, &r, event);
		}
		ck_assert_str_eq(str_text(&seen),
		    "deferred/33EFCA72426 1795330526 259 0 a@b.example;"
		    "x@y.example(deferred transport);z@y.example();"
		    "maildrop/36A7CA72424 1795330526 0 1 MAILER-DAEMON;end");
		showq_reader_fini(&r);
		str_fini(&seen);
	}
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} bad[] = {
    {"protocol\0other\0", 15},
    {"queue_name\0x\0", 13},
    {"\0", 1},
    {"protocol\0mail_queue_list_protocol\0x\0", 36},
    {"protocol\0mail_queue_list_protocol\0\0queue_id\0x\0", 46},
    {"protocol\0mail_queue_list_protocol\0\0queue_name\0x\0\0", 49},
    {"protocol\0mail_queue_list_protocol\0\0queue_name\0x\0queue_id\0x\0time\0-1\0", 67},
};

START_TEST(refuses)
{
	struct showq_reader r = {0};

	showq_feed(&r, bad[_i].bytes, bad[_i].len);
	ck_assert_int_eq(showq_next(&r), SHOWQ_BAD);
	showq_reader_fini(&r);
}
END_TEST

TCase *showq_tcase(void)
{
	TCase *tcase = tcase_create("showq");

	tcase_add_test(tcase, writes_postfix_bytes);
	tcase_add_test(tcase, reads_in_pieces);
	tcase_add_loop_test(tcase, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	return tcase;
}
