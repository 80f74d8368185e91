/* SPDX-License-Identifier: ISC */
/* --count: how much there is, and nothing about each. */
#include "commands/postqueue/postqueue.h"

static void message(struct look *look, const struct showq_message *m)
{
	look->count++;
	look->bytes += (unsigned long)m->size;
}

static void rcpt(struct look *look, const struct showq_rcpt *r UNUSED)
{
	look->rcpts++;
}

static void message_end(struct look *look UNUSED)
{
}

static void text_end(struct look *look)
{
	str_printf(&look->out, "%lu message%s, %lu recipient%s, %lu Kbytes\n", look->count,
	    look->count == 1 ? "" : "s", look->rcpts, look->rcpts == 1 ? "" : "s",
	    look->bytes / 1024);
}

static void json_end(struct look *look)
{
	str_printf(&look->out, "{\"messages\": %lu, \"recipients\": %lu, \"bytes\": %lu}\n",
	    look->count, look->rcpts, look->bytes);
}

const struct look text_count_look = {
    .message = message, .rcpt = rcpt, .message_end = message_end, .end = text_end};
const struct look json_count_look = {
    .message = message, .rcpt = rcpt, .message_end = message_end, .end = json_end};
