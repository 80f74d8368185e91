/* SPDX-License-Identifier: ISC */
/* A probe: a message that goes the way of all mail, but is not delivered at its end. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/mail/date.h"
#include "lib/sys/clock.h"
#include "verify/verify.h"

/* double-bounce@origin, or with a part that changes with the time. */
static const char *sender_of(const struct verifier *v, int64_t now, struct arena *arena)
{
	const struct verify_params *p = v->params;
	const char *sender = p->sender, *at = strrchr(sender, '@');
	size_t local = at ? (size_t)(at - sender) : strlen(sender);
	const char *domain = at ? at + 1 : v->core->myorigin;

	if (!*sender || strcmp(sender, "<>") == 0)
		return "";
	if (p->sender_ttl == 0)
		return arena_printf(arena, "%.*s@%s", (int)local, sender, domain);
	return arena_printf(arena, "%.*s%llx@%s", (int)local, sender,
	    (unsigned long long)(now / p->sender_ttl), domain);
}

static void put_content(
    struct str *out, const struct verifier *v, const struct envelope *env, int64_t now)
{
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)now);
	str_printf(out, "Received: by %s (%s)\r\n\tid %s; %s\r\n", v->core->myhostname,
	    v->core->mail_name, env->id, date);
	str_printf(out,
	    "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nMessage-Id: %s\r\n"
	    "Subject: address probe\r\n\r\n",
	    date, env->sender, env->rcpts[0].address, env->message_id);
}

static int commit(struct verifier *v, struct envelope *env, int64_t now, struct err *err)
{
	struct queue_writer *w = queue_writer_new(v->queue, env->id);
	struct str content = {0};
	struct location loc;
	uint64_t len;
	int result;

	put_content(&content, v, env, now);
	result = queue_writer_put(w, content.data, content.len, err);
	len = queue_writer_size(w);
	str_fini(&content);
	if (result < 0) {
		queue_writer_abort(&w);
		return -1;
	}
	if (queue_writer_commit(&w, env, false, &loc, err) < 0)
		return -1;
	log_info_as("cleanup", "%s: message-id=%s", env->id, env->message_id);
	notifier_send(v->notifier, env, &loc, len);
	return 0;
}

bool probe_send(struct verifier *v, const char *address, struct err *err)
{
	int64_t now_us = clock_wall_us();
	char id[QUEUE_ID_MAX];
	struct arena arena = {0};
	struct recipient rcpt = {.orcpt = "", .orig = "", .status = RCPT_TODO};
	struct envelope env = {.rcpts = &rcpt,
	    .rcpt_count = 1,
	    .flags = ENV_INTERNAL | ENV_VERIFY | ENV_PROBE,
	    .generation = ENVELOPE_FIXED_ROUTES,
	    .hops = 1};
	const char *whole = route_rewrite(v->router, address, &arena);
	struct route route;
	bool sent = false;

	env.sender = sender_of(v, now_us / 1000000, &arena);
	if (route_resolve(v->router, env.sender, whole, &arena, &route, err) == 0) {
		queue_new_id(v->queue, id);
		env.id = id;
		env.arrival_us = env.queued_us = (uint64_t)now_us;
		env.message_id = arena_printf(
		    &arena, "<%s.%lld@%s>", id, (long long)(now_us / 1000000), v->core->myhostname);
		rcpt.address = route.recipient;
		rcpt.orig = strcmp(route.recipient, address) ? address : "";
		rcpt.transport = route.transport;
		rcpt.nexthop = route.nexthop;
		sent = map_envelope(v->mapper, &env, 0, &arena, err) == 0 &&
		       commit(v, &env, now_us / 1000000, err) == 0;
	}
	arena_fini(&arena);
	return sent;
}
