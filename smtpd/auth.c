/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954), and what a login is told to others. */
#include "smtpd/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/service/service.h"
#include "smtpd/ehlo.h"
#include "smtpd/limits.h"
#include "smtpd/restrict.h"
#include "smtpd/tls.h"

/* ---- what is on offer ----------------------------------------------------------------------- */

struct listing {
	struct session *s;
	unsigned wanted;
	struct str names; /* each with a blank before it */
};

static void list_one(void *arg, const char *name, unsigned security)
{
	struct listing *l = arg;
	struct err err;

	if ((security & l->wanted) == l->wanted &&
	    match_list_text(l->s->srv->auth->filter, name, &err) == TABLE_FOUND)
		str_printf(&l->names, " %s", name);
}

/* The mechanisms for this session as it is now, each with a blank before it. */
static int list_mechanisms(struct session *s, struct str *out, struct err *err)
{
	struct server_auth *a = s->srv->auth;
	struct listing l = {.s = s,
	    .wanted = (unsigned)(s->encrypted ? a->params->tls_security : a->params->security),
	    .names = *out};
	int result = auth_mechanisms(a->auth, list_one, &l, err);

	*out = l.names;
	return result;
}

/* Is AUTH served in this session at all? */
static bool is_active(const struct session *s)
{
	return s->srv->auth && !ehlo_discarded(s, EHLO_AUTH) && session_tls_allows_auth(s);
}

static bool is_excepted(struct session *s)
{
	struct err err;
	enum table_answer answer =
	    match_list_host(s->srv->auth->exceptions, s->peer.name, s->peer.addr, &err);

	if (answer == TABLE_ERROR)
		log_warn("%s", err.text);
	return answer == TABLE_FOUND;
}

bool auth_offered(struct session *s)
{
	struct str names = {0};
	struct err err;
	bool some;

	if (!is_active(s) || is_excepted(s))
		return false;
	if (list_mechanisms(s, &names, &err) < 0)
		log_warn("%s", err.text);
	else if (names.len == 0)
		log_warn(
		    "no SASL authentication mechanisms are left by smtpd_sasl_mechanism_filter "
		    "and the security options");
	some = names.len > 0;
	str_fini(&names);
	return some;
}

void auth_say(struct session *s, struct str *out)
{
	struct str names = {0};
	struct err err;

	list_mechanisms(s, &names, &err);
	str_put_text(out, str_text(&names));
	if (s->srv->auth->params->broken_clients) {
		chat_reply(s, "250-%s", str_text(out));
		str_clear(out);
		str_printf(out, "AUTH=%s", names.len ? str_text(&names) + 1 : "");
	}
	str_fini(&names);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* One AUTH command on its way. */
struct attempt {
	struct session *s;
	const char *method; /* as the client writes it, printable */
	struct auth_answer answer;
	struct str response; /* decoded */
};

static int failed(struct attempt *a, enum sasl_verdict verdict, const char *reason)
{
	const char *user = str_text(&a->answer.user);

	if (!*reason)
		reason = "(reason unavailable)";
	log_warn("%s: SASL %.100s authentication failed: %s, sasl_username=%.100s",
	    a->s->peer.namaddr, a->method, reason, *user ? user : "(unavailable)");
	if (verdict == SASL_LATER)
		chat_reply(a->s, "454 4.7.0 Temporary authentication failure: %s", reason);
	else
		chat_reply(a->s, "535 5.7.8 Error: authentication failed: %s", reason);
	return -1;
}

static bool is_listed(struct slice names, struct slice name)
{
	while (names.len > 0) {
		const char *blank = memchr(names.data + 1, ' ', names.len - 1);
		size_t len = blank ? (size_t)(blank - names.data) : names.len;

		if (len - 1 == name.len && strncasecmp(names.data + 1, name.data, name.len) == 0)
			return true;
		names = slice_of(names.data + len, names.len - len);
	}
	return false;
}

/* Base64 to a->response. */
static bool decode(struct attempt *a, struct slice text)
{
	str_clear(&a->response);
	str_reserve(&a->response, text.len + 1);
	a->response.data[0] = '\0';
	return base64_decode(&a->response, text.data, text.len) == 0;
}

/* What the client may not leave behind in our memory. */
static void wipe(struct str *text)
{
	if (text->data)
		digest_wipe(text->data, text->cap);
	str_clear(text);
}

enum response { RESPONSE_GIVEN, RESPONSE_REFUSED, RESPONSE_GONE };

/* Sends the challenge and reads what the client says to it. RESPONSE_REFUSED: it was told. */
static enum response ask(struct attempt *a)
{
	struct session *s = a->s;
	struct str challenge = {0};
	bool good;

	base64_encode(&challenge, str_text(&a->answer.challenge), a->answer.challenge.len);
	chat_reply(s, "334 %s", str_text(&challenge));
	str_fini(&challenge);
	switch (chat_response(s, (size_t)s->srv->auth->params->response_limit)) {
	case CHAT_GONE:
		return RESPONSE_GONE;
	case CHAT_LONG:
		chat_reply(s, "500 5.5.6 SASL response limit exceeded");
		return RESPONSE_REFUSED;
	case CHAT_LINE:
		break;
	}
	if (slice_eq(slice_of(str_text(&s->line), s->line.len), "*")) {
		log_warn("%s: SASL %.100s authentication aborted", s->peer.namaddr, a->method);
		chat_reply(s, "501 5.7.0 Authentication aborted");
		return RESPONSE_REFUSED;
	}
	good = decode(a, slice_of(str_text(&s->line), s->line.len));
	wipe(&s->line);
	if (good)
		return RESPONSE_GIVEN;
	failed(a, SASL_MALFORMED, auth_words(s->srv->auth->auth)->bad_continued);
	return RESPONSE_REFUSED;
}

static enum sasl_verdict first_step(struct attempt *a, const struct slice *initial)
{
	struct session *s = a->s;
	struct auth_request request = {.mechanism = a->method,
	    .service = s->srv->auth->params->service,
	    .remote_addr = s->peer.addr,
	    .remote_port = s->peer.port,
	    .secured = s->encrypted,
	    .no_penalty = s->limits_exempt};
	struct net_addr local;
	char addr[64], port[8];

	if (initial)
		request.initial = slice_of(a->response.data, a->response.len);
	if (s->dest_addr) {
		request.local_addr = s->dest_addr;
		request.local_port = s->dest_port;
	} else if (net_addr_from_fd(&local, s->stream.fd, false)) {
		net_addr_text(&local, addr, sizeof(addr));
		snprintf(port, sizeof(port), "%u", net_addr_port(&local));
		request.local_addr = addr;
		request.local_port = port;
	}
	return auth_begin(s->srv->auth->auth, &request, &a->answer);
}

static int exchange(struct attempt *a, const struct slice *initial)
{
	struct session *s = a->s;
	struct auth *auth = s->srv->auth->auth;
	enum sasl_verdict verdict;

	/* "=" is an empty response, not none (RFC 4954 section 4) */
	if (initial && !decode(a, slice_eq(*initial, "=") ? slice_of("", 0) : *initial))
		return failed(a, SASL_MALFORMED, auth_words(auth)->bad_initial);
	verdict = first_step(a, initial);
	while (verdict == SASL_CONTINUE) {
		if (ask(a) != RESPONSE_GIVEN) {
			auth_cancel(auth);
			return -1;
		}
		if (s->srv->service)
			service_alive(s->srv->service);
		verdict = auth_step(auth, slice_of(a->response.data, a->response.len), &a->answer);
	}
	if (verdict != SASL_ACCEPTED)
		return failed(a, verdict, str_text(&a->answer.reason));
	text_make_printable(a->answer.user.data, a->answer.user.len);
	session_set_login(s, str_text(&a->answer.user), a->method);
	chat_reply(s, "235 2.7.0 Authentication successful");
	return 0;
}

static int authenticate(struct session *s, struct slice mechanism, const struct slice *initial)
{
	const struct auth_words *words = auth_words(s->srv->auth->auth);
	struct attempt a = {.s = s};
	char *method = alloc_strndup(mechanism.data, mechanism.len);
	struct str names = {0};
	struct err err;
	int result;

	text_make_printable(method, strlen(method));
	a.method = method;
	if (list_mechanisms(s, &names, &err) < 0) {
		log_warn("%s", err.text);
		result = failed(&a, SASL_LATER, auth_unavailable);
	} else if (!is_listed(slice_of(str_text(&names), names.len), mechanism)) {
		result = failed(&a, SASL_REFUSED, words->no_mechanism);
	} else {
		result = exchange(&a, initial);
	}
	wipe(&a.response);
	wipe(&s->line);
	str_fini(&a.response);
	str_fini(&names);
	auth_answer_fini(&a.answer);
	free(method);
	return result;
}

int cmd_auth(struct session *s, struct slice args)
{
	struct slice mechanism, initial, more;
	const char *reply = NULL;
	bool has_initial;

	/* what is wrong counts, too */
	if (limits_auth(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	if (s->params->helo_required && !s->helo)
		reply = "503 5.5.1 Error: send HELO/EHLO first";
	else if (!is_active(s))
		reply = "503 5.5.1 Error: authentication not enabled";
	else if (s->tx.active)
		reply = "503 5.5.1 Error: MAIL transaction in progress";
	else if (s->login)
		reply = "503 5.5.1 Error: already authenticated";
	if (!reply && !args_word(&args, &mechanism))
		reply = "501 5.5.4 Syntax: AUTH mechanism";
	has_initial = !reply && args_word(&args, &initial);
	if (has_initial && args_word(&args, &more))
		reply = "501 5.5.4 Syntax: AUTH mechanism";
	if (reply) {
		chat_reply(s, "%s", reply);
		return -1;
	}
	return authenticate(s, mechanism, has_initial ? &initial : NULL);
}

/* ---- what comes of it ----------------------------------------------------------------------- */

void auth_forget(struct session *s)
{
	session_set_login(s, NULL, NULL);
}

const char *auth_mail_option(struct session *s, struct slice value)
{
	if (s->tx.sasl_sender)
		return "503 5.5.4 Error: multiple AUTH= options";
	if (!slice_eq(value, "<>")) {
		char *sender = arena_strndup(&s->tx.arena, value.data, value.len);

		text_make_printable(sender, strlen(sender));
		s->tx.sasl_sender = sender;
	}
	return NULL;
}

/* Parentheses inside a comment stand in pairs; a backslash and what is not ASCII go. */
static void put_comment(struct str *out, const char *text)
{
	size_t start = out->len, depth = 0, open = 0;

	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;
		bool bad = c < 32 || c >= 127 || c == '\\' || (c == ')' && depth == 0);

		depth += c == '(' ? 1 : 0;
		depth -= c == ')' && depth ? 1 : 0;
		str_put_char(out, bad ? '?' : *p);
	}
	/* what was opened last and not closed */
	for (size_t i = out->len; i-- > start && depth > 0;) {
		if (out->data[i] == ')') {
			open++;
		} else if (out->data[i] == '(' && open > 0) {
			open--;
		} else if (out->data[i] == '(') {
			out->data[i] = '?';
			depth--;
		}
	}
}

void auth_received(const struct session *s, struct str *out)
{
	if (!s->login || !s->srv->config->auth.authenticated_header)
		return;
	str_put_text(out, "\r\n\t(Authenticated sender: ");
	put_comment(out, s->login);
	str_put_char(out, ')');
}

void auth_log(const struct session *s, struct str *out)
{
	if (s->login)
		str_printf(out, ", sasl_method=%s, sasl_username=%s", s->login_method, s->login);
	if (s->tx.sasl_sender)
		str_printf(out, ", sasl_sender=%s", s->tx.sasl_sender);
}

const char *session_sasl_method(const struct session *s)
{
	return s->login ? s->login_method : "";
}

const char *session_sasl_sender(const struct session *s)
{
	return s->tx.sasl_sender ? s->tx.sasl_sender : "";
}
