/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <string.h>

#include "bounce/report.h"
#include "lib/base/attr.h"

static const struct bounce_record records[] = {
    {.address = "joe@example.com",
        .orig = "j@example.com",
        .orcpt = "",
        .dsn = "5.1.1",
        .action = "failed",
        .reason = "host mx.example.com[192.0.2.1] said: 550 5.1.1 <joe@example.com>: no such user "
                  "in this place (in reply to RCPT TO command)",
        .diag = "smtp; 550 5.1.1 <joe@example.com>: no such user in this place",
        .mta = "mx.example.com"},
    {.address = "a b@example.com",
        .orig = "",
        .orcpt = "rfc822;x+2Bab@example.com",
        .index = 1,
        .dsn = "4.4.1",
        .action = "delayed",
        .reason = "connect: timed\r\nout",
        .diag = "",
        .mta = ""},
};

static struct template_set templates;

static struct report report(enum report_kind kind)
{
	template_set_builtin(&templates);
	return (struct report){
	    .kind = kind,
	    .template = &templates.items[kind],
	    .message_id = "<m@example.net>",
	    .hostname = "mail.example.com",
	    .origin = "example.com",
	    .mail_name = "Postfix",
	    .new_id = "NEW1",
	    .to = "sender@example.net",
	    .now_us = 1700000000000000,
	    .id = "OLD1",
	    .sender = "sender@example.net",
	    .envid = "env+2B1",
	    .arrival_us = 1699990000000000,
	    .original = REPORT_FULL,
	    .records = records,
	    .count = ARRAY_LEN(records),
	    .with_orig = true,
	    .lifetime = 432000,
	};
}

static void check_lines(const struct str *text)
{
	size_t len = 0;

	for (size_t i = 0; i < text->len; i++, len++) {
		unsigned char c = (unsigned char)text->data[i];

		if (c == '\n') {
			ck_assert(i > 0 && text->data[i - 1] == '\r');
			ck_assert_uint_le(len, 998);
			len = 0;
			continue;
		}
		ck_assert(c >= ' ' || c == '\t' || c == '\r');
		ck_assert(c != '\r' || text->data[i + 1] == '\n');
	}
}

#define HAS(text) ck_assert_msg(strstr(out.data, text), "not there: %s\n%s", text, out.data)
#define LACKS(text) ck_assert_msg(!strstr(out.data, text), "there: %s", text)

START_TEST(failure)
{
	struct report r = report(REPORT_FAILURE);
	struct str out = {0};

	report_put_head(&out, &r);
	check_lines(&out);
	HAS("\r\nFrom: Mail Delivery System <MAILER-DAEMON@example.com>\r\n"
	    "Subject: Undelivered Mail Returned to Sender\r\nTo: sender@example.net\r\n"
	    "Auto-Submitted: auto-replied\r\n");
	HAS("boundary=\"OLD1.1700000000/mail.example.com\"");
	HAS("\r\nMessage-Id: <20231114221320.NEW1@mail.example.com>\r\n");
	HAS("\r\n--OLD1.1700000000/mail.example.com\r\nContent-Description: Delivery report\r\n"
	    "Content-Type: message/delivery-status\r\n\r\n"
	    "Reporting-MTA: dns; mail.example.com\r\nOriginal-Envelope-Id: env+2B1\r\n"
	    "X-Postfix-Queue-ID: OLD1\r\nX-Postfix-Sender: rfc822; sender@example.net\r\n"
	    "Arrival-Date: ");
	HAS("\r\n\r\nFinal-Recipient: rfc822; joe@example.com\r\n"
	    "Original-Recipient: rfc822;j@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.example.com\r\nDiagnostic-Code: smtp; 550 5.1.1 ");
	HAS("\r\n\r\nFinal-Recipient: rfc822; \"a b\"@example.com\r\n"
	    "Original-Recipient: rfc822;x+2Bab@example.com\r\nAction: failed\r\nStatus: 4.4.1\r\n"
	    "Diagnostic-Code: X-Postfix; connect: timed??out\r\n");
	HAS("Content-Description: Undelivered Message\r\nContent-Type: message/rfc822\r\n\r\n");
	LACKS("8bit");
	LACKS("Will-Retry-Until");
	str_clear(&out);
	report_put_tail(&out, &r);
	ck_assert_str_eq(out.data, "\r\n--OLD1.1700000000/mail.example.com--\r\n");
	str_fini(&out);
}
END_TEST

START_TEST(delay)
{
	struct report r = report(REPORT_DELAY);
	struct str out = {0};

	r.original = REPORT_HEADERS;
	r.eight_bit = true;
	report_put_head(&out, &r);
	check_lines(&out);
	HAS("\r\nSubject: Delayed Mail (still being retried)\r\n");
	HAS("\r\nAction: delayed\r\n");
	HAS("\r\nWill-Retry-Until: ");
	LACKS("In-Reply-To");
	HAS("\r\nTHIS IS ONLY A WARNING");
	str_clear(&out);
	/* the postmaster knows how to read it; what answers a message says so when it is to */
	r.copy = r.threaded = true;
	report_put_head(&out, &r);
	check_lines(&out);
	HAS("\r\nSubject: Postmaster Warning: Delayed Mail\r\n");
	HAS("\r\nReferences: <m@example.net>\r\nIn-Reply-To: <m@example.net>\r\n\r\n");
	LACKS("ONLY A WARNING");
	HAS("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
	str_fini(&out);
}
END_TEST

START_TEST(success_copy_and_utf8)
{
	struct report r = report(REPORT_SUCCESS);
	struct bounce_record record = records[0];
	struct str out = {0};

	record.address = "j\xc3\xb6@example.com";
	record.action = "relayed";
	r.records = &record;
	r.count = 1;
	r.smtputf8 = true;
	r.original = REPORT_NO_ORIGINAL;
	report_put_head(&out, &r);
	HAS("report-type=global-delivery-status");
	HAS("Content-Type: message/global-delivery-status");
	HAS("Final-Recipient: utf-8; j\xc3\xb6@example.com");
	HAS("Action: relayed");
	LACKS("rfc822-headers");
	HAS("charset=utf-8");
	str_clear(&out);
	templates.items[REPORT_SUCCESS].charset = "iso-8859-1";
	templates.items[REPORT_SUCCESS].text = "sch\xf6n\r\n";
	templates.items[REPORT_SUCCESS].from = "postmaster@elsewhere.example";
	r.mail_name = "Post ern";
	r.smtputf8 = false;
	r.records = records;
	report_put_head(&out, &r);
	check_lines(&out);
	HAS("From: postmaster@elsewhere.example\r\n");
	HAS("charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nsch\xf6n\r\n");
	HAS("X-Post-ern-Queue-ID: OLD1");
	str_fini(&out);
}
END_TEST

static const struct {
	const char *text;
	size_t column, width;
	const char *want;
} folds[] = {
    {"short", 0, 20, "short\r\n"},
    {"one two three", 0, 9, "one two\r\n  three\r\n"},
    {"one two", 7, 9, "one\r\n  two\r\n"},
    {"", 0, 10, "\r\n"},
    {"   ", 0, 10, "\r\n"},
    {"averyverylongword x", 0, 8, "averyverylongword\r\n  x\r\n"},
    {"a\tb\x7f", 0, 8, "a?b?\r\n"},
};

START_TEST(fold)
{
	struct str out = {0};

	report_put_folded(&out, folds[_i].text, folds[_i].column, folds[_i].width, "  ");
	ck_assert_str_eq(str_text(&out), folds[_i].want);
	str_fini(&out);
}
END_TEST

START_TEST(endless_word)
{
	struct str out = {0}, word = {0};

	for (int i = 0; i < 5000; i++)
		str_put_char(&word, 'x');
	report_put_folded(&out, str_text(&word), 20, 76, "    ");
	check_lines(&out);
	str_fini(&out);
	str_fini(&word);
}
END_TEST

TCase *report_tcase(void)
{
	TCase *tcase = tcase_create("report");

	tcase_add_test(tcase, failure);
	tcase_add_test(tcase, delay);
	tcase_add_test(tcase, success_copy_and_utf8);
	tcase_add_loop_test(tcase, fold, 0, ARRAY_LEN(folds));
	tcase_add_test(tcase, endless_word);
	return tcase;
}
