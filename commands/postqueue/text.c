/* SPDX-License-Identifier: ISC */
/* The listing for people, column by column as scripts have read it for decades. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands/postqueue/postqueue.h"
#include "lib/queue/id.h"

/* How far to the right a line ends that explains a delay. */
enum { REASON_COLUMN = 76 };

static void put_printable(struct str *out, const char *text)
{
	size_t at = out->len;

	str_put_text(out, text);
	text_make_printable(out->data + at, out->len - at);
}

static void put_blanks(struct str *out, int count)
{
	static const char blanks[] = "                                                            "
	                             "                    ";

	if (count > 0)
		str_put(out, blanks, MIN((size_t)count, sizeof(blanks) - 1));
}

static void put_heading(struct look *look)
{
	str_put_text(&look->out,
	    look->long_ids
	        ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
	        : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n");
}

static void message(struct look *look, const struct showq_message *m)
{
	const char *mark = strcmp(m->queue_name, "active") == 0 ? "*"
	                   : strcmp(m->queue_name, "hold") == 0 ? "!"
	                                                        : "";
	time_t when = (time_t)m->time;
	char date[32] = "", id[QUEUE_ID_MAX * 2 + 4];
	struct tm tm;

	if (look->count++ == 0)
		put_heading(look);
	look->bytes += (unsigned long)m->size;
	snprintf(id, sizeof(id), "%.80s%s%s", m->queue_id, mark, m->forced_expire ? "#" : "");
	text_make_printable(id, strlen(id));
	if (localtime_r(&when, &tm))
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S ", &tm);
	str_printf(&look->out, look->long_ids ? "%-17s %8ld %19.19s " : "%-11s %7ld %20.20s ", id,
	    (long)m->size, date);
	put_printable(&look->out, m->sender);
	str_put_char(&look->out, '\n');
}

static void rcpt(struct look *look, const struct showq_rcpt *r)
{
	if (r->reason[0] && strcmp(r->reason, str_text(&look->last_reason)) != 0) {
		size_t len = strlen(r->reason);

		put_blanks(&look->out, len < REASON_COLUMN ? REASON_COLUMN - (int)len : 0);
		str_put_char(&look->out, '(');
		put_printable(&look->out, r->reason);
		str_put_text(&look->out, ")\n");
		str_clear(&look->last_reason);
		str_put(&look->last_reason, r->reason, len);
	}
	put_blanks(&look->out, look->long_ids ? 47 : 41);
	put_printable(&look->out, r->address);
	str_put_char(&look->out, '\n');
}

static void message_end(struct look *look)
{
	str_clear(&look->last_reason);
	str_put_char(&look->out, '\n');
}

static void end(struct look *look)
{
	if (look->count == 0)
		str_put_text(
		    &look->out, look->selecting ? "No message matches\n" : "Mail queue is empty\n");
	else
		str_printf(&look->out, "-- %lu Kbytes in %lu Request%s.\n", look->bytes / 1024,
		    look->count, look->count == 1 ? "" : "s");
}

const struct look text_look = {
    .message = message, .rcpt = rcpt, .message_end = message_end, .end = end};
