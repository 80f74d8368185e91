/* SPDX-License-Identifier: ISC */
/* The listing for programs: an object to a line (RFC 8259). */
#include "commands/postqueue/postqueue.h"
#include "lib/peer/listing_json.h"

static void message(struct look *look, const struct showq_message *m)
{
	const struct listing_json json = {.queue = m->queue_name,
	    .id = m->queue_id,
	    .arrival = m->time,
	    .size = (uint64_t)m->size,
	    .expired = m->forced_expire,
	    .sender = m->sender};

	look->count++;
	look->rcpts = 0;
	listing_json_begin(&look->out, &json);
}

static void rcpt(struct look *look, const struct showq_rcpt *r)
{
	listing_json_rcpt(&look->out, look->rcpts++ == 0, r->address, r->reason);
}

static void message_end(struct look *look)
{
	listing_json_close(&look->out);
	str_put_text(&look->out, "}\n");
}

static void end(struct look *look)
{
	(void)look;
}

const struct look json_look = {
    .message = message, .rcpt = rcpt, .message_end = message_end, .end = end};
