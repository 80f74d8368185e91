/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <errno.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * Mail that goes on to other addresses is a new message: each of them then has a status of its
 * own on disk, and one that has to wait makes nobody else's mail come twice.
 */
enum { CHUNK = 64 * 1024 };

static void put_trace(const struct delivery *d, const char *id, struct str *out)
{
	const struct core_params *core = d->local->core;
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)(clock_wall_us() / 1000000));
	str_printf(out, "Received: by %s (%s)\r\n\tid %s; %s\r\n", core->myhostname,
	    core->mail_name, id, date);
	if (local_list_has(&d->local->params.prepend_delivered_header, "forward")) {
		str_put_text(out, "Delivered-To: ");
		address_quote(out, d->rcpt->address);
		str_put_text(out, "\r\n");
	}
}

static int copy_content(const struct message *m, struct queue_writer *w, struct err *err)
{
	char buf[CHUNK];

	for (uint64_t at = 0; at < m->content_len;) {
		size_t want = (size_t)MIN(m->content_len - at, (uint64_t)sizeof(buf));

		if (fd_pread_full(m->fd, buf, want, (off_t)(m->content_at + at)) != (ssize_t)want)
			return err_sys(err, "read message");
		if (queue_writer_put(w, buf, want, err) < 0)
			return -1;
		at += want;
	}
	return 0;
}

static void fill_envelope(const struct delivery *d, const char *id, const struct recipient *rcpts,
    size_t count, struct envelope *env)
{
	const struct deliver_request *r = d->job->request;
	const bool same_sender = strcmp(d->sender, r->sender) == 0;
	uint64_t now = (uint64_t)clock_wall_us();

	*env = (struct envelope){
	    .id = id,
	    .sender = d->sender,
	    .sender_orig = "",
	    .arrival_us = now,
	    .queued_us = now,
	    .flags = r->env_flags & (ENV_8BIT | ENV_SMTPUTF8 | ENV_INTERNAL | ENV_TRACE),
	    .generation = d->local->generation,
	    .client_name = r->client_name,
	    .client_addr = r->client_addr,
	    .client_port = r->client_port,
	    .helo = r->helo,
	    .protocol = r->protocol,
	    .sasl_method = "",
	    .sasl_username = "",
	    /* another sender: what the first one wants to know is not the list's (RFC 3461 5.2.7.1)
	     */
	    .envid = same_sender ? r->envid : "",
	    .ret = same_sender ? r->ret : "",
	    .message_id = r->message_id,
	    .filter = "",
	    .attributes = "",
	    .hops = (uint32_t)d->trace->hops + 1,
	    .rcpts = rcpts,
	    .rcpt_count = (uint32_t)count,
	};
}

static int write_message(const struct delivery *d, const char *id, struct envelope *env,
    struct location *loc, uint64_t *len_out, struct err *err)
{
	struct queue_writer *w = queue_writer_new(d->local->queue, id);
	struct str trace = {0};
	int result;

	put_trace(d, id, &trace);
	result = queue_writer_put(w, trace.data, trace.len, err);
	str_fini(&trace);
	if (result == 0)
		result = copy_content(d->job->m, w, err);
	if (result < 0) {
		queue_writer_abort(&w);
		return -1;
	}
	*len_out = queue_writer_size(w);
	return queue_writer_commit(&w, env, false, loc, err);
}

const char *resend_message(
    const struct delivery *d, const struct recipient *rcpts, size_t count, struct verdict *v)
{
	char *id = arena_alloc(d->arena, QUEUE_ID_MAX);
	struct envelope env;
	struct location loc;
	struct err err;
	uint64_t len = 0;
	int result;

	/* The queue is the mail owner's: what root makes in it nobody else could read. */
	if (identity_enter(&d->local->mail_owner, &err) < 0) {
		verdict_set(v, OUTCOME_DEFERRED, "4.3.0", "%s", err.text);
		return NULL;
	}
	queue_new_id(d->local->queue, id);
	fill_envelope(d, id, rcpts, count, &env);
	result = map_envelope(d->local->mapper, &env, 0, d->arena, &err);
	if (result == 0)
		result = write_message(d, id, &env, &loc, &len, &err);
	if (result == 0) {
		log_info_as("cleanup", "%s: message-id=%s", id, env.message_id);
		notifier_send(d->local->notifier, &env, &loc, len);
	}
	identity_leave();
	if (result < 0) {
		verdict_set(
		    v, OUTCOME_DEFERRED, "4.3.0", "unable to forward message: %s", err.text);
		return NULL;
	}
	return id;
}
