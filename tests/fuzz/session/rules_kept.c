/* SPDX-License-Identifier: ISC */
/*
 * Whoever hears 250 at the end of a message may forget it: it is in the queue under the id that
 * the reply and the log name, sound, safe from a power failure, and qmgr is told once the reply is
 * given. What was not taken is not found in the queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "tests/fuzz/session/disk.h"
#include "tests/fuzz/session/rules.h"

bool __real_transaction_commit(struct session *s, struct str *reply);
bool __wrap_transaction_commit(struct session *s, struct str *reply);
void __real_notifier_send(struct notifier *n, const struct envelope *env,
    const struct location *loc, uint64_t content_len);
void __wrap_notifier_send(struct notifier *n, const struct envelope *env,
    const struct location *loc, uint64_t content_len);

enum { KEPT_MAX = 256 };

static struct {
	struct message_place {
		char id[QUEUE_ID_MAX];
		struct location loc;
	} kept[KEPT_MAX]; /* of all sessions of the input */
	size_t count, told;
	char answer[QUEUE_ID_MAX]; /* the message that the next reply has to name; "" : none */
} queue;

void kept_begin(void)
{
	queue.answer[0] = '\0';
}

/* ---- taken ---------------------------------------------------------------------------------- */

static void must_be_durable(struct session *s, const char *id, const struct location *loc)
{
	struct message m;
	struct err err;
	char path[256];

	if (loc->lane >= 0)
		snprintf(path, sizeof(path), "journal/%02x", (unsigned)loc->lane);
	else
		queue_path(s->srv->queue, loc->dir, id, path, sizeof(path));
	if (message_open(s->srv->queue, loc, id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err) != 0)
		panic("%s: taken and not there", id);
	must(disk_is_durable(path, (off_t)loc->offset,
	    (off_t)MAX(m.status_at + m.env.rcpt_count, m.env_at + m.env_len)));
	must(m.env.rcpt_count > 0 && m.state == RECORD_LIVE);
	message_close(&m);
}

static void taken(struct session *s)
{
	const char *id = s->tx.accepted.env.id;

	snprintf(queue.answer, sizeof(queue.answer), "%s", s->tx.id);
	if (!id) /* discarded */
		return;
	must(strcmp(id, s->tx.id) == 0);
	must_be_durable(s, id, &s->tx.accepted.loc);
	must(queue.count < KEPT_MAX);
	strcpy(queue.kept[queue.count].id, id);
	queue.kept[queue.count++].loc = s->tx.accepted.loc;
}

/* Its client tries again, or tells its sender: it may not be delivered as well. */
static void refused(struct session *s, unsigned warnings_before)
{
	struct message m;
	struct err err;

	if (!disk_has_failed())
		return;
	if (message_find(s->srv->queue, s->tx.id, MESSAGE_ENVELOPE, &m, &err) == 0)
		panic("%s: refused and yet in the queue", s->tx.id);
	must(log_rules_warnings() > warnings_before);
}

bool __wrap_transaction_commit(struct session *s, struct str *reply)
{
	unsigned warnings = log_rules_warnings();
	bool accepted;

	rules_look_at_transaction(s);
	body_committing(true);
	accepted = __real_transaction_commit(s, reply);
	body_committing(false);
	seen.commits += accepted;
	must(seen.commits <= seen.ends);
	if (accepted)
		taken(s);
	else if (strncmp(str_text(reply), "45", 2) == 0)
		refused(s, warnings);
	return accepted;
}

/* ---- answered ------------------------------------------------------------------------------- */

void kept_reply(const char *line, size_t len)
{
	static const char words[] = "queued as ";
	const char *at = memmem(line, len, words, sizeof(words) - 1);
	char id[QUEUE_ID_MAX];

	if (!at || line[0] != '2')
		return;
	at += sizeof(words) - 1;
	snprintf(id, sizeof(id), "%.*s", (int)(line + len - at), at);
	must(queue.answer[0] && strcmp(id, queue.answer) == 0);
	must(log_rules_is_present(id));
	queue.answer[0] = '\0';
}

void __wrap_notifier_send(struct notifier *n, const struct envelope *env,
    const struct location *loc, uint64_t content_len)
{
	if (play.running && queue.told < queue.count) {
		const struct message_place *next = &queue.kept[queue.told++];

		must(!queue.answer[0] || play.session.stream.failed);
		must(strcmp(env->id, next->id) == 0);
		must(loc->lane == next->loc.lane && loc->offset == next->loc.offset &&
		     loc->epoch == next->loc.epoch);
	}
	__real_notifier_send(n, env, loc, content_len);
}

void kept_settled(void)
{
	must(queue.told == queue.count);
	must(!queue.answer[0] || play.session.stream.failed);
	queue.answer[0] = '\0';
}

/* ---- behind all sessions -------------------------------------------------------------------- */

static void take_another(struct queue *q)
{
	struct recipient rcpt = {.address = "bob@example.test",
	    .orig = "",
	    .orcpt = "",
	    .transport = "local",
	    .nexthop = "example.test",
	    .status = RCPT_TODO};
	char id[QUEUE_ID_MAX];
	struct envelope env = {.id = id,
	    .sender = "",
	    .sender_orig = "",
	    .rcpts = &rcpt,
	    .rcpt_count = 1,
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .envid = "",
	    .ret = "",
	    .message_id = "",
	    .filter = "",
	    .attributes = ""};
	struct queue_writer *w;
	struct location loc;
	struct message m;
	struct err err;

	queue_new_id(q, id);
	w = queue_writer_new(q, id);
	if (queue_writer_put(w, "\r\nx\r\n", 5, &err) < 0 ||
	    queue_writer_commit(&w, &env, false, &loc, &err) < 0 ||
	    message_open(q, &loc, id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err) != 0)
		panic("the queue takes nothing more: %s", err.text);
	message_close(&m);
	must(message_finish(q, &loc, id, &err) == 0);
}

void kept_check(struct smtpd *server)
{
	bool failed = disk_has_failed();
	struct message m;
	struct err err;

	disk_reset();
	if (failed)
		take_another(server->queue);
	for (size_t i = 0; i < queue.count; i++) {
		const struct message_place *place = &queue.kept[i];

		if (message_open(server->queue, &place->loc, place->id,
		        MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err) != 0)
			panic("%s: lost", place->id);
		message_close(&m);
		/* delivered: its room in the journal is to be used again */
		must(message_finish(server->queue, &place->loc, place->id, &err) == 0);
	}
	queue.count = queue.told = 0;
	log_rules_end();
}
