/* SPDX-License-Identifier: ISC */
#include "bounce/bounce.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { CHUNK = 64 * 1024, HEADERS_MAX = 256 * 1024 };

/*
 * Copies the content, or its headers, to the notice; ends in a line end. Headers end before the
 * empty line; what is longer than any sane header is cut.
 */
static int copy_original(
    struct queue_writer *w, const struct message *m, bool full, struct err *err)
{
	uint64_t limit = full ? m->content_len : MIN(m->content_len, (uint64_t)HEADERS_MAX);
	char buf[CHUNK], last = '\n';
	bool line_start = true;

	for (uint64_t at = 0; at < limit;) {
		size_t want = (size_t)MIN(limit - at, (uint64_t)sizeof(buf)), use = want;
		bool end = false;

		if (fd_pread_full(m->fd, buf, want, (off_t)(m->content_at + at)) != (ssize_t)want)
			return err_sys(err, "read original message");
		for (size_t i = 0; !full && i < want; i++) {
			/* "CR LF" at a line start: the body begins behind it. */
			if (line_start && (buf[i] == '\r' || buf[i] == '\n')) {
				use = i;
				end = true;
				break;
			}
			line_start = buf[i] == '\n';
		}
		if (use && queue_writer_put(w, buf, use, err) < 0)
			return -1;
		if (use)
			last = buf[use - 1];
		if (end)
			break;
		at += want;
	}
	return last == '\n' ? 0 : queue_writer_put(w, "\r\n", 2, err);
}

static int write_report(
    struct queue_writer *w, const struct report *r, const struct message *m, struct err *err)
{
	struct str text = {0};
	int result;

	report_put_head(&text, r);
	result = queue_writer_put(w, text.data, text.len, err);
	if (result == 0 && r->original != REPORT_NO_ORIGINAL)
		result = copy_original(w, m, r->original == REPORT_FULL, err);
	str_clear(&text);
	report_put_tail(&text, r);
	if (result == 0)
		result = queue_writer_put(w, text.data, text.len, err);
	str_fini(&text);
	return result;
}

/* A route that cannot be found now is left to qmgr: the notice is durable all the same. */
static struct recipient *make_recipient(
    struct bounce *bounce, const char *address, struct arena *arena, uint32_t *generation_out)
{
	struct recipient *rcpt = arena_zero(arena, 1, sizeof(*rcpt));
	struct route route;
	struct err err;

	*rcpt = (struct recipient){
	    .address = address,
	    .orig = "",
	    .orcpt = "",
	    .transport = "",
	    .nexthop = "",
	    .status = RCPT_TODO,
	};
	*generation_out = 0;
	if (route_resolve(bounce->router, "", address, arena, &route, &err) < 0) {
		log_warn("route of <%s>: %s", address, err.text);
		return rcpt;
	}
	*generation_out = bounce->generation;
	rcpt->address = route.recipient;
	rcpt->transport = route.transport;
	rcpt->nexthop = route.nexthop;
	return rcpt;
}

int enqueue_report(struct bounce *bounce, const struct report *r, const struct message *m,
    const char *sender, struct arena *arena, struct enqueued *out, struct err *err)
{
	struct str message_id = {0};
	struct queue_writer *w;
	uint32_t generation;
	struct recipient *rcpt = make_recipient(bounce, r->to, arena, &generation);

	report_message_id(&message_id, r);
	out->env = (struct envelope){
	    .id = r->new_id,
	    .sender = sender,
	    .sender_orig = "",
	    .arrival_us = (uint64_t)r->now_us,
	    .queued_us = (uint64_t)clock_wall_us(),
	    .flags = ENV_INTERNAL | (r->eight_bit ? ENV_8BIT : 0) |
	             (r->smtputf8 ? ENV_SMTPUTF8 | ENV_8BIT : 0),
	    .generation = generation,
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .envid = "",
	    .ret = "",
	    .message_id = arena_strdup(arena, str_text(&message_id)),
	    .filter = "",
	    .attributes = "",
	    .hops = 1,
	    .rcpts = rcpt,
	    .rcpt_count = 1,
	};

	str_fini(&message_id);
	if (map_envelope(bounce->mapper, &out->env, 0, arena, err) < 0)
		return -1;
	w = queue_writer_new(bounce->queue, r->new_id);
	queue_writer_keep_second_name(w);
	if (write_report(w, r, m, err) < 0) {
		queue_writer_abort(&w);
		return -1;
	}
	out->len = queue_writer_size(w);
	return queue_writer_commit(&w, &out->env, false, &out->loc, err);
}

void enqueue_announce(struct bounce *bounce, const struct enqueued *enqueued)
{
	const struct envelope *env = &enqueued->env;

	log_info_as("cleanup", "%s: message-id=%s", env->id, env->message_id);
	notifier_send(bounce->notifier, env, &enqueued->loc, enqueued->len);
}
