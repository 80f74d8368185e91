/* SPDX-License-Identifier: ISC */
#include "smtp/transaction.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"

/*
 * The server's answers on the way to its verdict on a message. Once the end of the message is on
 * its way nothing may be sent twice: who does not answer then is asked again only much later.
 */

bool transaction_await(struct transaction *t, int timeout_s, const char *doing, const char *command)
{
	enum chat_result result = session_reply(t->s, timeout_s);

	if (result != CHAT_OK) {
		session_trouble(t->s, result, doing, t->d->job->arena, t->lost);
		return false;
	}
	if (t->s->reply.code == 421) {
		/* it hangs up: what it would have said to the rest is the same */
		session_refusal(t->s, command, t->d->job->arena, t->lost);
		t->s->dead = true;
		return false;
	}
	return true;
}

static void trouble_accepted(struct transaction *t, const struct trouble *why)
{
	for (size_t i = 0; i < t->d->job->rcpt_count; i++)
		if (t->d->accepted[i] && t->d->left[i])
			delivery_trouble(t->d, t->s, i, why);
}

/* RFC 2920 3.1: DATA got 354 though no recipient is left: an empty message ends it. */
static bool end_empty_data(struct transaction *t)
{
	t->s->spent = true;
	if (t->d->client->lmtp) { /* RFC 2033 4.2: an answer for each of no recipients */
		t->s->dead = true;
		return true;
	}
	str_put_text(&t->s->stream.out, ".\r\n");
	if (session_reply(t->s, t->d->client->params->data_done_timeout) == CHAT_OK)
		return true;
	/* nobody is affected: what is to be said of the recipients was said */
	return true;
}

/* smtp_address_verify_target = data: the server would take it, and gets nothing. */
static void end_verified(struct transaction *t)
{
	memcpy(t->s->reply.dsn, "2.0.0", sizeof("2.0.0"));
	for (size_t i = 0; i < t->d->job->rcpt_count; i++)
		if (t->d->accepted[i])
			delivery_sent(t->d, t->s, i);
	t->s->dead = true;
}

/* The answer to DATA; *go_out: the content is to follow. */
bool transaction_read_data(struct transaction *t, bool *go_out)
{
	struct trouble why;

	*go_out = false;
	if (!transaction_await(
	        t, t->d->client->params->data_init_timeout, "sending DATA command", "DATA command"))
		return false;
	if (t->d->accepted_count == 0)
		return t->s->reply.code / 100 != 3 || end_empty_data(t);
	*go_out = t->s->reply.code / 100 == 3;
	if (!*go_out) {
		session_refusal(t->s, "DATA command", t->d->job->arena, &why);
		trouble_accepted(t, &why);
	} else if (agent_only_verifies(t->d->job)) {
		*go_out = false;
		end_verified(t);
	}
	return true;
}

/* One answer to the end of the message: of recipient i, or of all that were accepted. */
static bool read_answer(struct transaction *t, const size_t *i)
{
	static const char doing[] = "sending end of data -- message may be sent more than once";
	enum chat_result result = session_reply(t->s, t->d->client->params->data_done_timeout);
	struct trouble why;

	if (result != CHAT_OK) {
		session_trouble(t->s, result, doing, t->d->job->arena, &why);
		why.stop = true;
		trouble_accepted(t, &why);
		return false;
	}
	if (t->s->reply.code / 100 != 2) {
		session_refusal(t->s, t->plan.bdat ? "BDAT command" : "end of DATA command",
		    t->d->job->arena, &why);
		if (i)
			delivery_trouble(t->d, t->s, *i, &why);
		else
			trouble_accepted(t, &why);
		return true;
	}
	for (size_t k = 0; k < t->d->job->rcpt_count; k++)
		if (t->d->accepted[k] && (!i || k == *i))
			delivery_sent(t->d, t->s, k);
	return true;
}

/*
 * What the server makes of the message: by LMTP once for each recipient (RFC 2033 4.2). It has the
 * message: to leave before its time is over is to send it twice.
 */
static void read_verdict(struct transaction *t)
{
	struct delivery *d = t->d;

	t->s->give_up_ms = 0;
	if (!d->client->lmtp) {
		read_answer(t, NULL);
		return;
	}
	for (size_t i = 0; i < d->job->rcpt_count; i++) {
		if (!d->accepted[i])
			continue;
		if (!read_answer(t, &i))
			return;
		d->accepted[i] = false; /* settled, or put off for another server */
	}
}

/*
 * Has the server said something before it was asked? Then what comes next would be taken for the
 * verdict. A refusal is believed. true: *lost is set, or the recipients are settled.
 */
static bool spoke_too_early(struct transaction *t, bool *rc_out)
{
	struct session *s = t->s;

	if (stream_buffered(&s->stream).len == 0)
		return false;
	*rc_out = session_reply(s, 1) == CHAT_OK && s->reply.code >= 400;
	if (*rc_out) {
		session_refusal(s, "DATA command", t->d->job->arena, t->lost);
		trouble_accepted(t, t->lost);
	} else {
		session_trouble(
		    s, CHAT_NONSENSE, "sending message body", t->d->job->arena, t->lost);
	}
	s->dead = true;
	return true;
}

/*
 * A server that does not like what it sees may say so and hang up before it has seen all of it:
 * what it said is still in the socket. Nothing positive is believed.
 */
static bool read_early_verdict(struct transaction *t)
{
	struct session *s = t->s;
	bool refused;

	str_clear(&s->stream.out);
	s->stream.failed = s->dead = false;
	refused =
	    stream_readable(&s->stream) && session_reply(s, 1) == CHAT_OK && s->reply.code >= 400;
	if (refused)
		session_refusal(s, "DATA command", t->d->job->arena, t->lost);
	s->dead = true;
	return refused;
}

bool transaction_send_content(struct transaction *t, bool last_use)
{
	const struct smtp_params *p = t->d->client->params;
	bool quit = last_use && p->skip_quit_response && (t->s->ehlo.features & FEATURE_PIPELINING);
	enum chat_result result;
	bool unreadable, rc;

	if (spoke_too_early(t, &rc))
		return rc;
	transcript_note(t->s->transcript, "(the message)");
	log_debug("> %s: (the message%s)%s", t->s->relay, t->plan.bdat ? " by BDAT" : "",
	    quit ? " QUIT" : "");
	t->s->in_content = true;
	result = content_send(t->s, t->d->job, p, &t->plan, quit, &unreadable);
	if (result == CHAT_OK) {
		t->d->dot_sent = true;
		read_verdict(t);
		return true;
	}
	if (unreadable) {
		trouble_set(t->lost, t->d->job->arena, "4.3.0",
		    "local data error while talking to %s", t->s->name);
		t->lost->stop = true;
	} else if (result == CHAT_LOST && read_early_verdict(t)) {
		trouble_accepted(t, t->lost);
		return true;
	} else {
		session_trouble(t->s, result, "sending message body", t->d->job->arena, t->lost);
	}
	return false;
}
