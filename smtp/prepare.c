/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/header.h"
#include "lib/sys/fd.h"
#include "smtp/policy.h"
#include "smtp/transaction.h"

/*
 * What can be known of a message and a server before the first command: whether the one fits the
 * other, the names by which the addresses are said, and how the content will go.
 */
enum { HEADER_LOOK = 128 * 1024 };

/* ---- SMTPUTF8 ------------------------------------------------------------------------------- */

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] > 127)
			return false;
	return true;
}

/* Is there anything but ASCII in the message's own header? A header that is too long counts as if
 * there were. */
static bool header_is_ascii(const struct message *m)
{
	size_t len = (size_t)MIN(m->content_len, (uint64_t)HEADER_LOOK), at = 0;
	struct str text = {0};
	struct header field;
	bool ascii = true;

	str_reserve(&text, len + 1);
	if (fd_pread_full(m->fd, text.data, len, (off_t)m->content_at) != (ssize_t)len)
		len = 0;
	while (ascii && header_next(slice_of(text.data, len), &at, &field))
		ascii = is_ascii(field.whole.data, field.whole.len);
	ascii = ascii && !(at >= len && m->content_len > len);
	str_fini(&text);
	return ascii;
}

/*
 * RFC 6531: a message that was announced with SMTPUTF8 and has nothing that needs it may go to any
 * server. Who asked for it, or found it out, has set the flag.
 */
static bool needs_utf8(const struct transaction *t)
{
	const struct agent_job *job = t->d->job;
	uint32_t flags = t->request->env_flags | job->m->env.flags;

	if (!(t->request->env_flags & ENV_SMTPUTF8))
		return false;
	if (!is_ascii(t->request->sender, strlen(t->request->sender)))
		return true;
	for (size_t i = 0; i < job->rcpt_count; i++)
		if (t->d->left[i] &&
		    !is_ascii(job->rcpts[i].address, strlen(job->rcpts[i].address)))
			return true;
	return (flags & ENV_HIGH_BYTES) && !header_is_ascii(job->m);
}

/* ---- limits --------------------------------------------------------------------------------- */

/* smtp_requiretls_policy of where this session goes. */
static enum requiretls requiretls_of(const struct transaction *t)
{
	const struct target to = {.domain = t->s->domain, .request = t->request};

	return policy_requiretls(
	    t->d->client, t->request, policy_nexthop_domain(&to, t->d->job->arena));
}

/* What can be said without asking: the server's limits. */
static bool fits(struct transaction *t)
{
	const struct session *s = t->s;
	uint64_t size = t->d->job->m->content_len;
	struct trouble why;

	t->requiretls = requiretls_of(t);
	if (s->ehlo.size_limit && size > s->ehlo.size_limit)
		trouble_set(&why, t->d->job->arena, "5.3.4",
		    "message size %llu exceeds size limit %llu of server %s",
		    (unsigned long long)size, (unsigned long long)s->ehlo.size_limit, s->name);
	else if (!(s->ehlo.features & FEATURE_SMTPUTF8) && needs_utf8(t))
		trouble_set(&why, t->d->job->arena, "5.6.7",
		    "SMTPUTF8 is required, but was not offered by host %s", s->name);
	else if (t->requiretls == REQUIRETLS_ENFORCE && !(s->ehlo.features & FEATURE_REQUIRETLS))
		trouble_set(&why, t->d->job->arena, t->d->final ? "5.7.30" : "4.7.30",
		    "REQUIRETLS is required, but was not offered by host %s", s->name);
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

/* ---- addresses and content ------------------------------------------------------------------ */

static bool map_addresses(struct transaction *t)
{
	struct delivery *d = t->d;
	struct generic *generic = d->client->generic;
	struct arena *arena = d->job->arena;
	struct trouble why;
	struct err err;
	int rc;

	t->sender = t->request->sender;
	if (!generic)
		return true;
	t->addresses = arena_zero(arena, d->job->rcpt_count, sizeof(*t->addresses));
	rc = generic_map(generic, t->request->sender, arena, &t->sender, &err);
	for (size_t i = 0; i < d->job->rcpt_count && rc == 0; i++)
		rc = generic_map(generic, d->job->rcpts[i].address, arena, &t->addresses[i], &err);
	if (rc == 0)
		return true;
	log_warn("%s: %s", t->request->id, err.text);
	trouble_set(&why, arena, "4.3.0", "%s", err.text);
	why.stop = true;
	delivery_trouble_all(d, t->s, &why);
	return false;
}

static void plan_content(struct transaction *t)
{
	const struct smtp_client *c = t->d->client;
	uint32_t flags = t->request->env_flags | t->d->job->m->env.flags;
	struct rewrite_plan *plan = &t->plan.rewrite;

	*plan = (struct rewrite_plan){
	    .params = c->content, .generic = c->generic, .checks = c->checks, .id = t->request->id};
	if (c->generic || c->checks)
		plan->what |= REWRITE_HEADER;
	if (checks_parts_wanted(c->checks))
		plan->what |= REWRITE_PARTS;
	if ((flags & (ENV_8BIT | ENV_HIGH_BYTES)) && !(t->s->ehlo.features & FEATURE_8BITMIME) &&
	    !c->content->disable_mime_output_conversion)
		plan->what |= REWRITE_TO_7BIT;
	t->plan.bdat = !agent_only_verifies(t->d->job) &&
	               content_suits_bdat(t->s, t->d->job, c->params, &t->plan, c->content->bdat);
}

bool transaction_prepare(struct transaction *t)
{
	if (!addresses_fit(t) || !fits(t) || !map_addresses(t))
		return false;
	plan_content(t);
	return true;
}
