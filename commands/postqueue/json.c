/* SPDX-License-Identifier: ISC */
/* The listing for programs: an object to a line (RFC 8259). */
#include "commands/postqueue/postqueue.h"
#include "lib/base/json.h"

static void message(struct look *look, const struct showq_message *m)
{
	struct str *out = &look->out;

	look->count++;
	look->rcpts = 0;
	str_put_text(out, "{\"queue_name\": ");
	json_put_text(out, m->queue_name);
	str_put_text(out, ", \"queue_id\": ");
	json_put_text(out, m->queue_id);
	str_printf(out, ", \"arrival_time\": %lld, \"message_size\": %lld, \"forced_expire\": %s",
	    (long long)m->time, (long long)m->size, m->forced_expire ? "true" : "false");
	str_put_text(out, ", \"sender\": ");
	json_put_text(out, m->sender);
	str_put_text(out, ", \"recipients\": [");
}

static void rcpt(struct look *look, const struct showq_rcpt *r)
{
	struct str *out = &look->out;

	str_put_text(out, look->rcpts++ ? ", {\"address\": " : "{\"address\": ");
	json_put_text(out, r->address);
	if (r->reason[0]) {
		str_put_text(out, ", \"delay_reason\": ");
		json_put_text(out, r->reason);
	}
	str_put_char(out, '}');
}

static void message_end(struct look *look)
{
	str_put_text(&look->out, "]}\n");
}

static void end(struct look *look)
{
	(void)look;
}

const struct look json_look = {
    .message = message, .rcpt = rcpt, .message_end = message_end, .end = end};
