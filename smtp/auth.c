/* SPDX-License-Identifier: ISC */
#include "smtp/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/sasl/client.h"
#include "lib/sys/clock.h"
#include "lib/table/match.h"
#include "lib/tls/digest.h"
#include "smtp/login.h"
#include "smtp/token.h"

/*
 * The AUTH command (RFC 4954). The initial response goes with it, so that the common mechanisms
 * need one round trip. A token that the server does not take is replaced once, on the same
 * connection: it may have been withdrawn before its time.
 */
enum { AUTH_LINE_MAX = 12288, CHALLENGES_MAX = 10, REPLY_SHOWN = 1500 };

struct attempt {
	const struct smtp_client *client;
	struct session *s;
	const struct target *to;
	struct arena *arena;
	struct trouble *why;
	struct login login;
	const struct sasl_mechanism *mechanism;
	struct token_wish wish;
	bool again; /* with a new token */
};

static enum session_step fail(
    struct attempt *a, const char *dsn, const char *reason, const char *reply)
{
	trouble_set(a->why, a->arena, dsn, "%s", reason);
	a->why->site = true;
	a->why->mta = arena_strdup(a->arena, a->s->host);
	if (reply)
		a->why->diag = arena_printf(a->arena, "smtp; %.*s", REPLY_SHOWN, reply);
	return STEP_FAILED;
}

/* A refusal of the server, now or remembered. */
static enum session_step refuse(
    struct attempt *a, const char *when, const char *dsn, const char *reply)
{
	char shown[sizeof(a->why->dsn)];

	snprintf(shown, sizeof(shown), "%s", dsn);
	if (shown[0] != '4' && (shown[0] != '5' || a->client->auth->params->soft_bounce))
		shown[0] = '4';
	return fail(a, shown,
	    arena_printf(a->arena, "SASL %sauthentication failed; server %s said: %.*s", when,
	        a->s->name, REPLY_SHOWN, reply),
	    reply);
}

static enum session_step cannot(struct attempt *a, const char *reason)
{
	return fail(a, "4.7.0",
	    arena_printf(a->arena,
	        "SASL authentication failed; cannot authenticate to server %s: %s", a->s->name,
	        reason),
	    NULL);
}

/* ---- which mechanism ------------------------------------------------------------------------ */

static int wanted_security(const struct attempt *a)
{
	const struct smtp_auth_params *p = a->client->auth->params;

	if (!a->s->secured)
		return p->security;
	return session_tls_is_verified(a->s) ? p->tls_verified_security : p->tls_security;
}

/* What the server offers and smtp_sasl_mechanism_filter lets through. */
static void filter(const struct attempt *a, struct str *out)
{
	struct match_list *list = a->client->auth->filter;
	char *copy = arena_strdup(a->arena, a->s->ehlo.auth_mechanisms), *save = NULL;

	for (char *m = strtok_r(copy, " ", &save); m; m = strtok_r(NULL, " ", &save))
		if (!list || match_list_text(list, m, NULL) == TABLE_FOUND)
			str_printf(out, "%s ", m);
	if (out->len == 0)
		log_warn("%s offered no supported AUTH mechanisms: '%s'", a->s->name,
		    a->s->ehlo.auth_mechanisms);
}

static enum session_step choose(struct attempt *a)
{
	struct str offered = {0};

	filter(a, &offered);
	if (offered.len == 0)
		return fail(a, "4.7.0",
		    arena_printf(a->arena,
		        "SASL authentication failed: server %s offered no compatible "
		        "authentication mechanisms for this type of connection security",
		        a->s->name),
		    NULL);
	a->mechanism = sasl_mechanism_choose(slice_of(str_text(&offered), offered.len),
	    (unsigned)wanted_security(a), *a->login.token_source != '\0');
	str_fini(&offered);
	return a->mechanism ? STEP_NONE : cannot(a, "no mechanism available");
}

/* ---- the exchange --------------------------------------------------------------------------- */

/* One line to the server, and its reply. */
static enum session_step say(struct attempt *a, const char *command, const struct str *response)
{
	struct str *out = &a->s->stream.out;
	enum chat_result result;

	str_put_text(out, command);
	if (response && response->len)
		base64_encode(out, response->data, response->len);
	str_put(out, "\r\n", 2);
	result = session_reply(a->s, a->client->params->helo_timeout);
	if (result == CHAT_OK)
		return STEP_DONE;
	session_trouble(a->s, result, "performing the AUTH handshake", a->arena, a->why);
	return STEP_FAILED;
}

/* RFC 4954 section 4: the initial response may be empty ("="), missing, or too long for the line.
 */
static enum session_step say_auth(struct attempt *a, struct sasl_client *client)
{
	struct str first = {0};
	struct err err;
	int rc = sasl_client_first(client, &first, &err);
	bool fits = first.len < AUTH_LINE_MAX / 4 * 3 - 64;
	const char *command = arena_printf(a->arena, "AUTH %s%s", a->mechanism->name,
	    rc == 0 || !fits ? ""
	    : first.len      ? " "
	                     : " =");
	enum session_step step;

	if (rc < 0)
		step = cannot(a, err.text);
	else
		step = say(a, command, fits ? &first : NULL);
	if (step == STEP_DONE && !fits && a->s->reply.code == 334)
		step = say(a, "", &first);
	if (first.len)
		digest_wipe(first.data, first.len);
	str_fini(&first);
	return step;
}

/* "334 base64" */
static bool decode_challenge(const struct attempt *a, struct str *out)
{
	const char *text = str_text(&a->s->reply.text);
	struct slice base64 = slice_trim(slice_text(strlen(text) > 4 ? text + 4 : ""));

	str_clear(out);
	if (slice_eq(base64, "="))
		return true;
	return base64_decode(out, base64.data, base64.len) == 0;
}

static enum session_step give_up(struct attempt *a, const char *reason)
{
	char text[sizeof(((struct err *)0)->text)];

	snprintf(text, sizeof(text), "%s", reason);
	if (say(a, "*", NULL) == STEP_FAILED)
		return STEP_FAILED;
	return cannot(a, text);
}

static enum session_step answer_challenges(struct attempt *a, struct sasl_client *client)
{
	struct str challenge = {0}, response = {0};
	enum session_step step = STEP_DONE;
	struct err err;

	for (int i = 0; step == STEP_DONE && a->s->reply.code / 100 == 3; i++) {
		str_clear(&response);
		if (i == CHALLENGES_MAX)
			step = fail(a, "4.7.0",
			    arena_printf(a->arena,
			        "SASL authentication failed; authentication protocol loop with "
			        "server %s",
			        a->s->name),
			    NULL);
		else if (!decode_challenge(a, &challenge))
			step = give_up(a, "the challenge is not base64");
		else if (sasl_client_step(client, slice_of(str_text(&challenge), challenge.len),
		             &response, &err) < 0)
			step = give_up(a, err.text);
		else
			step = say(a, "", &response);
		if (response.len)
			digest_wipe(response.data, response.len);
	}
	str_fini(&challenge);
	str_fini(&response);
	return step;
}

/* The server has said how it ends. */
static enum session_step conclude(struct attempt *a, struct sasl_client *client)
{
	const struct smtp_reply *reply = &a->s->reply;
	const char *detail = sasl_client_detail(client);

	if (reply->code / 100 == 2) {
		if (sasl_client_complete(client))
			return STEP_DONE;
		return cannot(a, "it says yes before it has proved who it is");
	}
	if (*detail)
		log_info("%s: %s: %s", a->s->name, a->mechanism->name, detail);
	if (reply->code == 535) {
		if (*a->login.token_source) {
			token_forget(a->client->auth->store, &a->wish);
			a->again = true;
		} else {
			refused_put(a->client->auth, a->s->host, &a->login, reply);
		}
	}
	return refuse(a, "", reply->dsn, str_text(&reply->text));
}

static enum session_step exchange(struct attempt *a, const char *secret)
{
	struct sasl_identity who = {.user = a->login.user,
	    .authzid = "",
	    .secret = secret,
	    .host = a->to->addr->host,
	    .port = net_addr_port(&a->to->addr->addr)};
	struct sasl_client *client;
	enum session_step step;
	struct err err;

	a->again = false;
	if (sasl_client_new(a->mechanism, &who, &client, &err) < 0)
		return cannot(a, err.text);
	step = say_auth(a, client);
	if (step == STEP_DONE)
		step = answer_challenges(a, client);
	if (step == STEP_DONE)
		step = conclude(a, client);
	sasl_client_free(&client);
	return step;
}

static enum session_step log_in(struct attempt *a)
{
	struct token_store *store = a->client->auth->store;
	enum session_step step = STEP_NONE;
	const char *secret;
	struct err err;
	bool fresh;

	if (!*a->login.token_source)
		return exchange(a, a->login.password);
	a->wish = (struct token_wish){
	    .source = a->login.token_source, .user = a->login.user, .server = a->s->host};
	for (int i = 0; i < 2; i++) {
		if (token_get(store, &a->wish, a->arena, &secret, &fresh, &err) < 0)
			return cannot(a, err.text);
		step = exchange(a, secret);
		/* a source that gives the same again cannot help */
		if (!a->again || fresh || a->s->dead || a->s->spent)
			break;
	}
	return step;
}

enum session_step session_authenticate(const struct smtp_client *c, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why)
{
	struct attempt a = {.client = c, .s = s, .to = to, .arena = arena, .why = why};
	enum session_step step;
	struct refusal refusal;
	struct err err;

	if (!c->auth)
		return STEP_NONE;
	session_set_login(c, s, to);
	if (!(s->ehlo.features & FEATURE_AUTH))
		return STEP_NONE;
	switch (login_find(c->auth, to, s->host, arena, &a.login, &err)) {
	case TABLE_NOT_FOUND:
		return STEP_NONE;
	case TABLE_ERROR:
		return fail(&a, "4.3.0",
		    arena_printf(arena, "SASL authentication failed; login lookup: %s", err.text),
		    NULL);
	case TABLE_FOUND:
		break;
	}
	step = choose(&a);
	if (step == STEP_FAILED)
		return step;
	if (refused_find(c->auth, s->host, &a.login, arena, &refusal))
		return refuse(&a, "[CACHED] ", refusal.dsn, refusal.text);
	step = log_in(&a);
	if (step == STEP_DONE)
		s->ehlo.features |= FEATURE_LOGGED_IN;
	return step;
}

/* ---- which sessions are alike --------------------------------------------------------------- */

void session_auth_key(const struct smtp_client *c, const struct target *to, struct str *key)
{
	struct arena arena = {0};
	struct login login;

	if (!c->auth)
		return;
	switch (login_find(c->auth, to, to->addr ? to->addr->host : NULL, &arena, &login, NULL)) {
	case TABLE_FOUND:
		str_put_text(key, login_digest(&arena, login.user, login.password,
		                      login.token_source, (const char *)NULL));
		break;
	case TABLE_NOT_FOUND:
		str_put_text(key, "none");
		break;
	case TABLE_ERROR:
		str_printf(key, "unknown %lld", (long long)clock_mono_ms()); /* as no other */
		break;
	}
	arena_fini(&arena);
}

/* By the destination alone: that is all that is known when a kept session is asked for. */
static char *key_of(const struct smtp_client *c, const struct target *to)
{
	struct target place = *to;
	struct str key = {0};

	place.addr = NULL;
	session_auth_key(c, &place, &key);
	str_put_text(&key, "");
	return str_steal(&key);
}

void session_set_login(const struct smtp_client *c, struct session *s, const struct target *to)
{
	if (!c->auth)
		return;
	free(s->login_key);
	s->login_key = key_of(c, to);
}

bool session_auth_fits(
    const struct smtp_client *c, const struct session *s, const struct target *to)
{
	char *key;
	bool same;

	if (!c->auth)
		return true;
	key = key_of(c, to);
	same = s->login_key && strcmp(key, s->login_key) == 0;
	free(key);
	return same;
}
