/* SPDX-License-Identifier: ISC */
#include "lib/post/post.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/mail/address.h"
#include "lib/mail/date.h"
#include "lib/peer/note.h"
#include "lib/shape/map.h"
#include "lib/sys/clock.h"

const char *post_complete(const struct core_params *core, const char *address, struct arena *arena)
{
	if (strchr(address, '@'))
		return address;
	return arena_printf(arena, "%s@%s", address, core->myorigin);
}

const char *post_double_bounce(const struct core_params *core, struct arena *arena)
{
	if (strchr(core->double_bounce_sender, '@'))
		return core->double_bounce_sender;
	return arena_printf(arena, "%s@%s", core->double_bounce_sender, core->myhostname);
}

static void put_header(struct str *out, const struct core_params *core, const char *id,
    const char *to, const char *subject, const char *message_id)
{
	char date[MAIL_DATE_MAX];

	mail_date(date, (time_t)(clock_wall_us() / 1000000));
	str_printf(out, "Received: by %s (%s)\r\n\tid %s; %s\r\n", core->myhostname,
	    core->mail_name, id, date);
	str_printf(out,
	    "Date: %s\r\nFrom: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: Postmaster <",
	    date, core->myhostname);
	address_quote(out, to);
	str_put_text(out, ">\r\nSubject: ");
	for (const char *c = subject; *c; c++)
		str_put_char(out, (unsigned char)*c < ' ' || *c == 127 ? '?' : *c);
	str_printf(out,
	    "\r\nAuto-Submitted: auto-generated\r\nMessage-Id: %s\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n",
	    message_id);
}

/* The postmaster's address may have aliases. Rare: nothing is kept for the next one. */
static int map_rcpts(const struct core_params *core, struct conf *conf, struct envelope *env,
    struct arena *arena, struct err *err)
{
	struct conf_report report = {0};
	struct route_params routes;
	struct map_params maps;
	struct router *router;
	struct mapper *mapper;
	int rc = 0;

	if (conf && conf_fill(conf, &route_params, &routes, &report) == 0 &&
	    conf_fill(conf, &map_params, &maps, &report) == 0) {
		router = router_new(core, &routes);
		mapper = mapper_open(core, &maps, router);
		rc = map_envelope(mapper, env, 0, arena, err);
		mapper_close(&mapper);
		router_free(&router);
	}
	conf_report_fini(&report);
	return rc;
}

static const char *post_message_id(
    const struct core_params *core, const char *id, time_t when, struct arena *arena)
{
	char stamp[20];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	return arena_printf(arena, "<%s.%s@%s>", stamp, id, core->myhostname);
}

int post_notice(struct queue *queue, const struct core_params *core, struct conf *conf,
    const char *recipient, const char *subject, const struct str *body, char id_out[QUEUE_ID_MAX],
    struct err *err)
{
	struct arena arena = {0};
	struct recipient rcpt = {
	    .orig = "", .orcpt = "", .transport = "", .nexthop = "", .status = RCPT_TODO};
	struct envelope env = {.rcpts = &rcpt, .rcpt_count = 1, .flags = ENV_INTERNAL, .hops = 1};
	struct notifier *notifier;
	struct queue_writer *w;
	struct str head = {0};
	struct location loc;
	uint64_t len;
	int result;

	queue_new_id(queue, id_out);
	rcpt.address = post_complete(core, recipient, &arena);
	env.id = id_out;
	env.sender = post_double_bounce(core, &arena);
	env.arrival_us = env.queued_us = (uint64_t)clock_wall_us();
	env.message_id = post_message_id(core, id_out, (time_t)(env.arrival_us / 1000000), &arena);
	put_header(&head, core, id_out, rcpt.address, subject, env.message_id);
	if (map_rcpts(core, conf, &env, &arena, err) < 0) {
		str_fini(&head);
		arena_fini(&arena);
		return -1;
	}
	w = queue_writer_new(queue, id_out);
	result = queue_writer_put(w, head.data, head.len, err);
	if (result == 0 && body->len > 0)
		result = queue_writer_put(w, body->data, body->len, err);
	len = queue_writer_size(w);
	if (result < 0) {
		queue_writer_abort(&w);
	} else if ((result = queue_writer_commit(&w, &env, false, &loc, err)) == 0) {
		log_info_as("cleanup", "%s: message-id=%s", id_out, env.message_id);
		notifier = notifier_new(); /* rare: no connection is kept for it */
		notifier_send(notifier, &env, &loc, len);
		notifier_free(&notifier);
	}
	str_fini(&head);
	arena_fini(&arena);
	return result;
}
