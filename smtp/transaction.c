/* SPDX-License-Identifier: ISC */
#include "smtp/transaction.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/service/service.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"
#include "smtp/auth.h"
#include "smtp/engine.h"

/*
 * One mail transaction (RFC 5321 3.3). With PIPELINING, MAIL, a batch of RCPTs and DATA leave in
 * one write; a batch is bounded, so that neither side can block on a full socket while the other
 * does too.
 */
enum { BATCH_COMMANDS = 100, BATCH_BYTES = 16 * 1024 };

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
	put_path(t, t->sender);
	str_put_char(out, '>');
	if (features & FEATURE_SIZE)
		str_printf(out, " SIZE=%llu", (unsigned long long)t->d->job->m->content_len);
	if ((features & FEATURE_8BITMIME) && (r->env_flags & (ENV_8BIT | ENV_HIGH_BYTES)))
		str_put_text(out, " BODY=8BITMIME");
	if ((features & FEATURE_SMTPUTF8) && (r->env_flags & ENV_SMTPUTF8))
		str_put_text(out, " SMTPUTF8");
	if (t->requiretls == REQUIRETLS_ENFORCE ||
	    (t->requiretls != REQUIRETLS_OFF && t->s->secured && (features & FEATURE_REQUIRETLS)))
		str_put_text(out, " REQUIRETLS");
	if ((features & FEATURE_LOGGED_IN) && auth_says_dummy(t->d->client->auth))
		str_put_text(out, " AUTH=<>");
	if ((features & FEATURE_DSN) && *r->envid) {
		str_put_text(out, " ENVID=");
		smtp_xtext_encode(out, r->envid);
	}
	if ((features & FEATURE_DSN) && *r->ret)
		str_printf(out, " RET=%s", r->ret);
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

/*
 * RFC 3461 4.2, 5.2.1: what the client said, or else the recipient as it was given, in quoted form
 * and xtext. Where that is no ASCII (RFC 6533 4) only a server that takes such addresses hears it.
 */
static void put_orcpt(struct transaction *t, const struct deliver_rcpt *rcpt)
{
	const char *semicolon = strchr(rcpt->orcpt, ';');
	const char *given = *rcpt->orig ? rcpt->orig : rcpt->address;
	struct str *out = &t->s->stream.out, quoted = {0};
	bool utf8 =
	    (t->s->ehlo.features & FEATURE_SMTPUTF8) && (t->request->env_flags & ENV_SMTPUTF8);

	if (semicolon) {
		str_printf(out, " ORCPT=%.*s;", (int)MIN(semicolon - rcpt->orcpt, 64), rcpt->orcpt);
		smtp_xtext_encode(out, semicolon + 1);
		return;
	}
	if (!t->d->client->params->enable_original_recipient || (text_has_high(given) && !utf8))
		return;
	if (!strchr(given, '@'))
		given = arena_printf(
		    t->d->job->arena, "%s@%s", given, service_core(t->d->job->service)->myorigin);
	address_quote(&quoted, given);
	str_put_text(out, text_has_high(given) ? " ORCPT=utf-8;" : " ORCPT=rfc822;");
	if (text_has_high(given))
		smtp_xtext_encode_utf8(out, str_text(&quoted));
	else
		smtp_xtext_encode(out, str_text(&quoted));
	str_fini(&quoted);
}

static void put_rcpt(struct transaction *t, size_t i)
{
	const struct deliver_rcpt *rcpt = &t->d->job->rcpts[i];
	const char *said = transaction_address(t, i);
	struct str *out = &t->s->stream.out;

	str_put_text(out, "RCPT TO:<");
	put_path(t, said);
	str_put_char(out, '>');
	if (t->s->ehlo.features & FEATURE_DSN) {
		put_orcpt(t, rcpt);
		put_notify(out, rcpt->notify);
	}
	str_put(out, "\r\n", 2);
}

static bool read_mail(struct transaction *t)
{
	struct trouble why;

	t->mail_read = true;
	if (!xforward_read(t) || !transaction_await(t, t->d->client->params->mail_timeout,
	                             "sending MAIL FROM", "MAIL FROM command"))
		return false;
	t->mail_ok = t->s->reply.code / 100 == 2;
	if (!t->mail_ok) {
		session_refusal(t->s, "MAIL FROM command", t->d->job->arena, &why);
		delivery_trouble_all(t->d, t->s, &why);
	}
	return true;
}

/* An address that is only to be verified is good when RCPT is taken, or DATA. */
static bool verifies_by_data(const struct transaction *t)
{
	return t->d->client->params->verify_target == SMTP_VERIFY_DATA;
}

static bool read_rcpt(struct transaction *t, size_t i)
{
	struct smtp_reply *reply = &t->s->reply;
	struct trouble why;

	if (!transaction_await(
	        t, t->d->client->params->rcpt_timeout, "sending RCPT TO", "RCPT TO command"))
		return false;
	if (!t->mail_ok)
		return true;
	if (reply->code / 100 == 2 && agent_only_verifies(t->d->job) && !verifies_by_data(t)) {
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

/* May one more recipient go into this transaction (LIMITS, RFC 9422)? */
static bool has_room(struct transaction *t, const char *address)
{
	const struct ehlo *ehlo = &t->s->ehlo;
	const char *at = strrchr(address, '@'), *domain = at ? at + 1 : "";
	bool other = !t->domain || !text_eq_nocase(t->domain, domain);

	t->full = (ehlo->rcpt_max && t->sent >= ehlo->rcpt_max) ||
	          (ehlo->rcpt_domain_max && other && t->domains >= ehlo->rcpt_domain_max);
	if (t->full)
		return false;
	t->domain = domain;
	t->domains += other;
	t->sent++;
	return true;
}

static bool is_last_batch(const struct transaction *t)
{
	return t->full || t->next == t->d->job->rcpt_count;
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
		if (!has_room(t, transaction_address(t, t->next)))
			break;
		put_rcpt(t, t->next);
		batch[count++] = t->next;
	}
	if (pipelining && is_last_batch(t) && !t->plan.bdat &&
	    (!agent_only_verifies(job) || verifies_by_data(t))) {
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

/*
 * CVE-2009-3555: who put commands of his own before our session gets their answers to us. Nothing
 * may have been answered while no mail was begun.
 */
static bool is_hijacked(struct transaction *t)
{
	const struct smtp_client *c = t->d->client;
	struct session *s = t->s;

	if (!s->secured || !c->tls || !c->tls->params->block_early_mail_reply)
		return false;
	if (stream_buffered(&s->stream).len == 0 &&
	    (!stream_readable(&s->stream) || stream_fill(&s->stream) != IO_OK))
		return false;
	log_warn("server %s violates %s_tls_block_early_mail_reply policy", s->name,
	    c->lmtp ? "lmtp" : "smtp");
	s->dead = true;
	trouble_set(t->lost, t->d->job->arena, "4.7.0", "unexpected server message");
	t->lost->site = true;
	t->lost->mta = arena_strdup(t->d->job->arena, s->host);
	return true;
}

bool transaction_run(struct delivery *d, struct session *s, bool last_use, struct trouble *lost)
{
	struct transaction t = {.d = d, .s = s, .request = d->job->request, .lost = lost};
	bool go = false;

	memset(d->accepted, 0, d->job->rcpt_count * sizeof(*d->accepted));
	d->accepted_count = 0;
	d->dot_sent = false;
	d->sent_us = clock_wall_us();
	if (!transaction_prepare(&t))
		return true;
	if (is_hijacked(&t) || !xforward_say(&t))
		return false;
	put_mail(&t);
	if (!(s->ehlo.features & FEATURE_PIPELINING) && !read_mail(&t))
		return false;
	while (!is_last_batch(&t) && (!t.mail_read || t.mail_ok))
		if (!run_batch(&t))
			return false;
	d->more = t.full && t.mail_ok;
	go = t.plan.bdat && d->accepted_count > 0;
	if (!t.data_sent && !t.plan.bdat && d->accepted_count > 0) {
		str_put_text(&s->stream.out, "DATA\r\n");
		t.data_sent = true;
	}
	if (t.data_sent && !transaction_read_data(&t, &go))
		return false;
	if (go)
		return transaction_send_content(&t, last_use && !d->more);
	/* MAIL, or some RCPTs, were taken and lead nowhere */
	if (t.mail_ok && !s->spent && (!last_use || d->more))
		session_reset(s, d->client->params);
	return true;
}
