/* SPDX-License-Identifier: ISC */
/* One mail transaction: from MAIL to a durable message or to nothing at all. */
#include "smtpd/auth.h"
#include "smtpd/xclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/sys/clock.h"

enum { RCPTS_FIRST = 8, DATA_KEEP = 128 * 1024 };

void transaction_begin(struct session *s)
{
	struct forwarded forwarded = s->forwarded;

	transaction_end(s);
	s->forwarded = forwarded;
	s->tx.ret = s->tx.envid = "";
	for (size_t i = 0; i < ARRAY_LEN(s->access.actions); i++)
		access_actions_add(&s->tx.actions, &s->access.actions[i], &s->tx.arena);
	snprintf(s->tx.instance, sizeof(s->tx.instance), "%x.%llx.%x", (unsigned)getpid(),
	    (unsigned long long)clock_wall_us(), s->transactions++);
}

void transaction_end(struct session *s)
{
	struct arena arena = s->tx.arena;

	log_release();
	shape_abort(&s->tx.shaper);
	arena_reset(&arena);
	s->forwarded = (struct forwarded){0};
	s->tx = (struct transaction){.arena = arena};
	s->access.kept[ACCESS_SENDER].active = false;
	if (s->data.cap > DATA_KEEP)
		str_fini(&s->data);
}

void transaction_target(struct session *s, struct target *target, const char *address)
{
	*target = (struct target){.state = TARGET_NEW};
	target->given = arena_strdup(&s->tx.arena, address);
	target->address = route_rewrite(s->srv->router, target->given, &s->tx.arena);
}

bool transaction_resolve(struct session *s, struct target *target)
{
	const char *sender = s->tx.sender.address ? s->tx.sender.address : "";
	struct err err;

	if (target->state == TARGET_NEW) {
		if (route_resolve(s->srv->router, sender, target->address, &s->tx.arena,
		        &target->route, &err) == 0) {
			target->state = TARGET_RESOLVED;
		} else {
			log_warn("%s: %s", target->address, err.text);
			target->state = TARGET_FAILED;
		}
	}
	return target->state == TARGET_RESOLVED;
}

void transaction_take_id(struct session *s)
{
	struct str line = {0};

	notifier_await_flow(s->srv->notifier, clock_ms_of(s->srv->shape->in_flow_delay));
	s->tx.arrival_us = clock_wall_us();
	queue_new_id(s->srv->queue, s->tx.id);
	str_printf(&line, "%s: client=%s", s->tx.id, s->peer.namaddr);
	auth_log(s, &line);
	xforward_log(s, &line);
	log_info("%s", str_text(&line));
	str_fini(&line);
}

static struct recipient *more_rcpts(struct transaction *tx)
{
	if (tx->rcpt_count == tx->rcpt_cap) {
		size_t cap = tx->rcpt_cap ? tx->rcpt_cap * 2 : RCPTS_FIRST;
		struct recipient *more = arena_zero(&tx->arena, cap, sizeof(*more));

		if (tx->rcpt_count > 0)
			memcpy(more, tx->rcpts, tx->rcpt_count * sizeof(*more));
		tx->rcpts = more;
		tx->rcpt_cap = cap;
	}
	return &tx->rcpts[tx->rcpt_count++];
}

void transaction_add_rcpt(struct session *s, uint32_t notify, const char *orcpt)
{
	struct transaction *tx = &s->tx;
	const struct target *target = &tx->rcpt;

	*more_rcpts(tx) = (struct recipient){
	    .address = target->route.recipient,
	    .orig = strcmp(target->given, target->route.recipient) ? target->given : "",
	    .orcpt = orcpt,
	    .transport = target->route.transport,
	    .nexthop = target->route.nexthop,
	    .notify = notify,
	    .status = RCPT_TODO,
	};
	if (tx->rcpt_count == 1)
		tx->first = tx->rcpt;
	if (tx->id[0] == '\0')
		transaction_take_id(s);
}

/* What access(5) actions want done with the message, as far as the shaper does not know it yet. */
static void apply_actions(struct session *s)
{
	const struct access_actions *now = &s->tx.actions, *was = &s->tx.applied;
	const struct access_item *bcc = now->bcc;

	if (now->hold && !was->hold)
		shape_hold(s->tx.shaper);
	if (now->redirect != was->redirect)
		shape_redirect(s->tx.shaper, now->redirect);
	if (now->filter != was->filter)
		shape_filter(s->tx.shaper, now->filter);
	for (size_t i = 0; i < s->tx.copies_applied; i++)
		bcc = bcc->next;
	for (; bcc; bcc = bcc->next, s->tx.copies_applied++)
		shape_bcc(s->tx.shaper, bcc->text);
	s->tx.applied = *now;
}

/* For log lines about the content. */
static const char *brought_by(struct session *s)
{
	struct str *out = &s->scratch;

	str_clear(out);
	str_printf(out, "%s; from=<", s->peer.namaddr);
	address_quote(out, s->tx.sender.given);
	str_put_text(out, "> to=<");
	address_quote(out, s->tx.first.given);
	str_printf(out, "> proto=%s", s->protocol);
	if (s->helo)
		str_printf(out, " helo=<%s>", s->helo);
	return arena_strdup(&s->tx.arena, str_text(out));
}

void transaction_open(struct session *s)
{
	struct smtpd *srv = s->srv;
	struct shape_context context = {
	    .core = srv->config->core,
	    .params = srv->shape,
	    .router = srv->router,
	    .mapper = srv->mapper,
	    .checks = srv->checks,
	    .brought_by = srv->checks ? brought_by(s) : "",
	    .mapping =
	        MAP_BCC | (srv->config->shape.overrides & SHAPE_NO_MAPPINGS ? MAP_NOTHING : 0),
	    .queue = srv->queue,
	    .origin = SHAPE_BY_SMTPD,
	    .add_missing_headers = s->local_client || srv->shape->always_add_missing_headers,
	    .rewrite_headers = s->local_client,
	    .full_name = "",
	    .arena = &s->tx.arena,
	};

	str_clear(&s->scratch);
	for (const struct access_item *i = s->tx.actions.prepend; i; i = i->next)
		str_printf(&s->scratch, "%s\r\n", i->text);
	received_put(s, &s->scratch);
	s->tx.data_bytes = 0;
	log_hold();
	s->tx.shaper = shape_begin(&context, s->tx.id, s->tx.sender.address, str_text(&s->scratch));
	shape_filter(s->tx.shaper, s->params->content_filter);
	apply_actions(s);
}

static void fill_envelope(const struct session *s, struct envelope *env)
{
	const struct transaction *tx = &s->tx;

	const struct forwarded *f = &s->forwarded;

	*env = (struct envelope){
	    .id = tx->id,
	    .sender = tx->sender.address,
	    .sender_orig = strcmp(tx->sender.address, tx->sender.given) ? tx->sender.given : "",
	    .arrival_us = tx->arrival_us,
	    .queued_us = clock_wall_us(),
	    .flags = tx->env_flags,
	    .generation = s->srv->generation,
	    .client_name = f->name ? f->name : s->peer.name,
	    .client_addr = f->addr ? f->addr : s->peer.addr,
	    .client_port = f->port ? f->port : s->peer.port,
	    .helo = f->helo   ? f->helo
	            : s->helo ? s->helo
	                      : "",
	    .protocol = f->protocol ? f->protocol : s->protocol,
	    .sasl_method = s->login ? s->login_method : "",
	    .sasl_username = s->login ? s->login : "",
	    .envid = tx->envid,
	    .ret = tx->ret,
	    .message_id = "",
	    .filter = "",
	    .attributes = s->tx.attributes ? s->tx.attributes : "",
	    .rcpts = tx->rcpts,
	    .rcpt_count = tx->rcpt_count,
	};
}

/* Whose trouble is it? As notify_classes has it. */
static uint32_t class_of(enum shape_result result)
{
	switch (result) {
	case SHAPE_NO_SPACE:
		return CLASS_RESOURCE;
	case SHAPE_WRITE_ERROR:
		return CLASS_SOFTWARE;
	case SHAPE_TABLE_ERROR:
	case SHAPE_EXPANSION:
		return CLASS_DATA;
	default:
		return CLASS_POLICY;
	}
}

bool transaction_commit(struct session *s, struct str *reply)
{
	static const char *const refusals[] = {
	    [SHAPE_TOO_BIG] = "552 5.3.4 Error: message file too big",
	    [SHAPE_TOO_MANY_HOPS] = "554 5.4.0 Error: too many hops",
	    [SHAPE_NO_SPACE] = "452 4.3.1 Insufficient system storage",
	    [SHAPE_WRITE_ERROR] = "451 4.3.0 Error: queue file write error",
	    [SHAPE_TABLE_ERROR] = "451 4.3.0 Error: queue file write error",
	    [SHAPE_EXPANSION] = "451 4.6.0 Alias expansion error",
	};
	struct envelope env;
	struct location loc;
	uint64_t content_len;
	enum shape_result result;
	struct err err = {0};

	if (s->tx.actions.discard) {
		str_printf(reply, "250 2.0.0 Ok: queued as %s", s->tx.id);
		return true;
	}
	apply_actions(s);
	fill_envelope(s, &env);
	result = shape_end(&s->tx.shaper, &env, &loc, &content_len, &err);
	if (result == SHAPE_DISCARDED) {
		str_printf(reply, "250 2.0.0 Ok: queued as %s", env.id);
		return true;
	}
	if (result == SHAPE_OK) {
		s->tx.accepted.env = env;
		s->tx.accepted.loc = loc;
		s->tx.accepted.content_len = content_len;
		str_put_text(reply, "250 2.0.0 Ok: ");
		if (s->tx.chunks != CHUNKS_NONE) /* a last line without its end gets one */
			str_printf(reply, "%llu bytes ",
			    (unsigned long long)(s->tx.chunk_bytes +
			                         (s->tx.chunk_bytes && s->tx.last_byte != '\n') *
			                             2));
		str_printf(reply, "queued as %s", env.id);
		return true;
	}
	transcript_trouble(s->srv->transcript, class_of(result));
	if (result == SHAPE_NO_SPACE || result == SHAPE_WRITE_ERROR)
		log_warn("%s: %s", s->tx.id, err.text);
	if (result == SHAPE_TOO_BIG)
		log_warn("%s: queue file size limit exceeded", s->tx.id);
	if (result == SHAPE_CONTENT || result == SHAPE_CONTENT_LATER)
		str_printf(reply, "%d %s", result == SHAPE_CONTENT ? 550 : 451, err.text);
	else
		str_put_text(reply, refusals[result]);
	return false;
}

void transaction_announce(struct session *s)
{
	if (s->tx.accepted.env.id)
		notifier_send(s->srv->notifier, &s->tx.accepted.env, &s->tx.accepted.loc,
		    s->tx.accepted.content_len);
	s->tx.accepted.env.id = NULL;
}
