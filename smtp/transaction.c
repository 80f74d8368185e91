/* SPDX-License-Identifier: ISC */
#include "smtp/delivery.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"
#include "smtp/auth.h"

/*
 * One mail transaction (RFC 5321 3.3). With PIPELINING, MAIL, a batch of RCPTs and DATA leave in
 * one write; a batch is bounded, so that neither side can block on a full socket while the other
 * does too.
 */
enum { BATCH_COMMANDS = 100, BATCH_BYTES = 16 * 1024 };

struct transaction {
	struct delivery *d;
	struct session *s;
	const struct deliver_request *request;
	struct trouble *lost;
	size_t next; /* recipient whose RCPT is the next to be sent */
	bool mail_read, mail_ok, data_sent;
};

/* A reply to a command before the end of the message. false: *lost is set, the session is dead. */
static bool await(struct transaction *t, int timeout_s, const char *doing, const char *command)
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

static void put_path(const struct transaction *t, const char *address)
{
	if (t->d->client->params->quote_envelope)
		address_quote(&t->s->stream.out, address);
	else
		str_put_text(&t->s->stream.out, address);
}

static void put_mail(struct transaction *t)
{
	const struct deliver_request *r = t->request;
	struct str *out = &t->s->stream.out;
	unsigned features = t->s->ehlo.features;

	str_put_text(out, "MAIL FROM:<");
	put_path(t, r->sender);
	str_put_char(out, '>');
	if (features & FEATURE_SIZE)
		str_printf(out, " SIZE=%llu", (unsigned long long)t->d->job->m->content_len);
	if ((features & FEATURE_8BITMIME) && (r->env_flags & (ENV_8BIT | ENV_HIGH_BYTES)))
		str_put_text(out, " BODY=8BITMIME");
	if ((features & FEATURE_SMTPUTF8) && (r->env_flags & ENV_SMTPUTF8))
		str_put_text(out, " SMTPUTF8");
	if ((features & FEATURE_LOGGED_IN) && auth_says_dummy(t->d->client->auth))
		str_put_text(out, " AUTH=<>");
	if ((features & FEATURE_DSN) && *r->ret)
		str_printf(out, " RET=%s", r->ret);
	if ((features & FEATURE_DSN) && *r->envid) {
		str_put_text(out, " ENVID=");
		smtp_xtext_encode(out, r->envid);
	}
	str_put(out, "\r\n", 2);
}

static void put_notify(struct str *out, uint32_t notify)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{NOTIFY_NEVER, "NEVER"}, {NOTIFY_SUCCESS, "SUCCESS"},
	    {NOTIFY_FAILURE, "FAILURE"}, {NOTIFY_DELAY, "DELAY"}};
	const char *joint = " NOTIFY=";

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(notify & names[i].bit))
			continue;
		str_printf(out, "%s%s", joint, names[i].name);
		joint = ",";
	}
}

/* RFC 3461 4.2: "rfc822;" and the address as xtext. */
static void put_orcpt(struct str *out, const struct deliver_rcpt *rcpt)
{
	const char *semicolon = strchr(rcpt->orcpt, ';');

	if (semicolon) {
		str_printf(out, " ORCPT=%.*s;", (int)MIN(semicolon - rcpt->orcpt, 64), rcpt->orcpt);
		smtp_xtext_encode(out, semicolon + 1);
	} else if (*rcpt->orig) {
		str_put_text(out, " ORCPT=rfc822;");
		smtp_xtext_encode(out, rcpt->orig);
	}
}

static void put_rcpt(struct transaction *t, const struct deliver_rcpt *rcpt)
{
	struct str *out = &t->s->stream.out;

	str_put_text(out, "RCPT TO:<");
	put_path(t, rcpt->address);
	str_put_char(out, '>');
	if (t->s->ehlo.features & FEATURE_DSN) {
		put_orcpt(out, rcpt);
		put_notify(out, rcpt->notify);
	}
	str_put(out, "\r\n", 2);
}

static bool read_mail(struct transaction *t)
{
	struct trouble why;

	t->mail_read = true;
	if (!await(t, t->d->client->params->mail_timeout, "sending MAIL FROM", "MAIL FROM command"))
		return false;
	t->mail_ok = t->s->reply.code / 100 == 2;
	if (!t->mail_ok) {
		session_refusal(t->s, "MAIL FROM command", t->d->job->arena, &why);
		delivery_trouble_all(t->d, t->s, &why);
	}
	return true;
}

static bool read_rcpt(struct transaction *t, size_t i)
{
	struct smtp_reply *reply = &t->s->reply;
	struct trouble why;

	if (!await(t, t->d->client->params->rcpt_timeout, "sending RCPT TO", "RCPT TO command"))
		return false;
	if (!t->mail_ok)
		return true;
	if (reply->code / 100 == 2 && agent_only_verifies(t->d->job)) {
		delivery_sent(t->d, t->s, i);
		return true;
	}
	if (reply->code / 100 == 2) {
		t->d->accepted[i] = true;
		t->d->accepted_count++;
		return true;
	}
	if (reply->code == 552) {
		/* RFC 5321 4.5.3.1.10: "too many recipients", by servers of old */
		reply->code = 452;
		reply->dsn[0] = '4';
	}
	session_refusal(t->s, "RCPT TO command", t->d->job->arena, &why);
	delivery_trouble(t->d, t->s, i, &why);
	return true;
}

/* Sends the next RCPTs (and DATA behind the last) and reads their answers. */
static bool run_batch(struct transaction *t)
{
	const struct agent_job *job = t->d->job;
	bool pipelining = t->s->ehlo.features & FEATURE_PIPELINING;
	size_t max = pipelining ? BATCH_COMMANDS : 1, count = 0;
	size_t batch[BATCH_COMMANDS];

	for (; t->next < job->rcpt_count && count < max; t->next++) {
		if (!t->d->left[t->next])
			continue;
		if (count && t->s->stream.out.len > BATCH_BYTES)
			break;
		put_rcpt(t, &job->rcpts[t->next]);
		batch[count++] = t->next;
	}
	if (pipelining && t->next == job->rcpt_count && !agent_only_verifies(job)) {
		str_put_text(&t->s->stream.out, "DATA\r\n");
		t->data_sent = true;
	}
	if (!t->mail_read && !read_mail(t))
		return false;
	for (size_t k = 0; k < count; k++)
		if (!read_rcpt(t, batch[k]))
			return false;
	return true;
}

/* RFC 2920 3.1: DATA got 354 though no recipient is left: an empty message ends it. */
static bool end_empty_data(struct transaction *t)
{
	t->s->spent = true;
	str_put_text(&t->s->stream.out, ".\r\n");
	if (session_reply(t->s, t->d->client->params->data_done_timeout) == CHAT_OK)
		return true;
	/* nobody is affected: what is to be said of the recipients was said */
	return true;
}

static void trouble_accepted(struct transaction *t, const struct trouble *why)
{
	for (size_t i = 0; i < t->d->job->rcpt_count; i++)
		if (t->d->accepted[i] && t->d->left[i])
			delivery_trouble(t->d, t->s, i, why);
}

/* The answer to DATA; *go_out: the content is to follow. */
static bool read_data(struct transaction *t, bool *go_out)
{
	struct trouble why;

	*go_out = false;
	if (!await(
	        t, t->d->client->params->data_init_timeout, "sending DATA command", "DATA command"))
		return false;
	if (t->d->accepted_count == 0)
		return t->s->reply.code / 100 != 3 || end_empty_data(t);
	*go_out = t->s->reply.code / 100 == 3;
	if (!*go_out) {
		session_refusal(t->s, "DATA command", t->d->job->arena, &why);
		trouble_accepted(t, &why);
	}
	return true;
}

/* What the server makes of the message. From here on nothing may be sent twice. */
static void read_verdict(struct transaction *t)
{
	static const char doing[] = "sending end of data -- message may be sent more than once";
	enum chat_result result;
	struct trouble why;

	t->s->give_up_ms = 0; /* it has the message: to leave now is to send it twice */
	result = session_reply(t->s, t->d->client->params->data_done_timeout);
	if (result != CHAT_OK) {
		session_trouble(t->s, result, doing, t->d->job->arena, &why);
		why.stop = true;
		trouble_accepted(t, &why);
		return;
	}
	if (t->s->reply.code / 100 != 2) {
		session_refusal(t->s, "end of DATA command", t->d->job->arena, &why);
		trouble_accepted(t, &why);
		return;
	}
	for (size_t i = 0; i < t->d->job->rcpt_count; i++)
		if (t->d->accepted[i])
			delivery_sent(t->d, t->s, i);
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

static bool send_content(struct transaction *t, bool last_use)
{
	const struct smtp_params *p = t->d->client->params;
	bool quit = last_use && p->skip_quit_response && (t->s->ehlo.features & FEATURE_PIPELINING);
	bool unreadable;
	enum chat_result result;

	transcript_note(t->s->transcript, "(the message)");
	t->s->in_content = true;
	result = content_send(t->s, t->d->job, p, quit, &unreadable);

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

/* What can be said without asking: the server's limits. */
static bool fits(struct transaction *t)
{
	const struct session *s = t->s;
	uint64_t size = t->d->job->m->content_len;
	struct trouble why;

	if (s->ehlo.size_limit && size > s->ehlo.size_limit)
		trouble_set(&why, t->d->job->arena, "5.3.4",
		    "message size %llu exceeds size limit %llu of server %s",
		    (unsigned long long)size, (unsigned long long)s->ehlo.size_limit, s->name);
	else if ((t->request->env_flags & ENV_SMTPUTF8) && !(s->ehlo.features & FEATURE_SMTPUTF8))
		trouble_set(&why, t->d->job->arena, "5.6.7",
		    "SMTPUTF8 is required, but was not offered by host %s", s->name);
	else
		return true;
	delivery_trouble_all(t->d, s, &why);
	return false;
}

/* Line ends in an address would be commands of their own. What takes mail in lets none pass. */
static bool is_one_line(const char *address)
{
	for (; *address; address++)
		if (((unsigned char)*address < 32 && *address != '\t') || *address == 127)
			return false;
	return true;
}

static bool addresses_fit(struct transaction *t)
{
	struct delivery *d = t->d;
	struct trouble why;

	if (!is_one_line(t->request->sender)) {
		trouble_set(&why, d->job->arena, "5.1.7", "bad sender address syntax");
		delivery_trouble_all(d, t->s, &why);
	}
	for (size_t i = 0; i < d->job->rcpt_count; i++) {
		if (!d->left[i] || is_one_line(d->job->rcpts[i].address))
			continue;
		trouble_set(&why, d->job->arena, "5.1.3", "bad recipient address syntax");
		delivery_trouble(d, t->s, i, &why);
	}
	return d->left_count > 0;
}

bool transaction_run(struct delivery *d, struct session *s, bool last_use, struct trouble *lost)
{
	struct transaction t = {.d = d, .s = s, .request = d->job->request, .lost = lost};
	bool go = false;

	memset(d->accepted, 0, d->job->rcpt_count * sizeof(*d->accepted));
	d->accepted_count = 0;
	d->dot_sent = false;
	d->sent_us = clock_wall_us();
	if (!addresses_fit(&t) || !fits(&t))
		return true;
	put_mail(&t);
	if (!(s->ehlo.features & FEATURE_PIPELINING) && !read_mail(&t))
		return false;
	while (t.next < d->job->rcpt_count && (!t.mail_read || t.mail_ok))
		if (!run_batch(&t))
			return false;
	if (!t.data_sent && d->accepted_count > 0) {
		str_put_text(&s->stream.out, "DATA\r\n");
		t.data_sent = true;
	}
	if (t.data_sent && !read_data(&t, &go))
		return false;
	if (go)
		return send_content(&t, last_use);
	/* MAIL, or some RCPTs, were taken and lead nowhere */
	if (t.mail_ok && !s->spent && !last_use)
		session_reset(s, d->client->params);
	return true;
}
