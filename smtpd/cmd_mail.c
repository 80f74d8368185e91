/* SPDX-License-Identifier: ISC */
/* MAIL FROM (RFC 5321 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152), RET and ENVID (RFC 3461). */
#include "smtpd/limits.h"

#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/mail/address.h"
#include "lib/mail/verp.h"
#include "lib/smtp/command.h"
#include "smtpd/auth.h"
#include "smtpd/ehlo.h"

struct mail_options {
	uint64_t size;
	uint32_t env_flags;
	const char *ret, *envid, *verp;
};

/* An option: NULL when it is fine, or the reply. */
typedef const char *option_fn(struct session *s, struct slice value, struct mail_options *out);

static const char *unsupported = "555";

static const char *opt_body(struct session *s, struct slice value, struct mail_options *out)
{
	(void)s;
	if (slice_eq_nocase(value, "8BITMIME"))
		out->env_flags |= ENV_8BIT;
	else if (!slice_eq_nocase(value, "7BIT"))
		return unsupported;
	return NULL;
}

static const char *opt_size(struct session *s, struct slice value, struct mail_options *out)
{
	(void)s;
	if (value.len == 0)
		return "501 5.5.4 Bad message size syntax";
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < '0' || value.data[i] > '9')
			return "501 5.5.4 Bad message size syntax";
	if (!num_u64(value.data, value.len, INT64_MAX, &out->size))
		return "552 5.3.4 Message size exceeds file system imposed limit";
	return NULL;
}

/* RFC 4954 section 5: from a client that nobody trusts the value means nothing. */
static const char *opt_auth(struct session *s, struct slice value, struct mail_options *out)
{
	(void)out;
	if (s->tx.sasl_sender)
		return "503 5.5.4 Error: multiple AUTH= options";
	return auth_mail_option(s, value);
}

static const char *no_dsn = "501 5.7.1 DSN support is disabled";

static const char *opt_ret(struct session *s, struct slice value, struct mail_options *out)
{
	if (ehlo_discarded(s, EHLO_DSN))
		return no_dsn;
	if (!out->ret && slice_eq_nocase(value, "FULL"))
		out->ret = "FULL";
	else if (!out->ret && slice_eq_nocase(value, "HDRS"))
		out->ret = "HDRS";
	else
		return "501 5.5.4 Bad RET parameter syntax";
	return NULL;
}

/* RFC 3461 4.4: xtext of printable ASCII. Longer ones than its 100 characters are about. */
static const char *opt_envid(struct session *s, struct slice value, struct mail_options *out)
{
	if (ehlo_discarded(s, EHLO_DSN))
		return no_dsn;
	str_clear(&s->scratch);
	if (out->envid || value.len == 0 || !smtp_xtext_decode(value, &s->scratch) ||
	    !str_cstr(&s->scratch))
		return "501 5.5.4 Bad ENVID parameter syntax";
	for (size_t i = 0; i < s->scratch.len; i++)
		if (s->scratch.data[i] < 32 || s->scratch.data[i] > 126)
			return "501 5.5.4 Bad ENVID parameter syntax";
	out->envid = arena_strdup(&s->tx.arena, str_text(&s->scratch));
	return NULL;
}

static const char *opt_utf8(struct session *s, struct slice value, struct mail_options *out)
{
	(void)value;
	if (!ehlo_offered(s, EHLO_SMTPUTF8))
		return unsupported;
	out->env_flags |= ENV_SMTPUTF8;
	return NULL;
}

/* RFC 8689 section 2 */
static const char *opt_requiretls(struct session *s, struct slice value, struct mail_options *out)
{
	(void)value;
	if (!ehlo_offered(s, EHLO_REQUIRETLS))
		return unsupported;
	out->env_flags |= ENV_REQUIRETLS;
	return NULL;
}

/* XVERP or XVERP=xy, from who is trusted with it (smtpd_authorized_verp_clients). */
static const char *opt_verp(struct session *s, struct slice value, struct mail_options *out)
{
	const char *delimiters = value.len ? arena_strndup(&s->tx.arena, value.data, value.len)
	                                   : s->params->default_verp;

	if (!session_may_verp(s))
		return unsupported;
	if (!*s->tx.sender.given)
		return "503 5.5.4 Error: XVERP requires non-null sender";
	if (!verp_delimiters_valid(delimiters, s->params->verp_filter))
		return arena_printf(&s->tx.arena,
		    "501 5.5.4 Error: XVERP needs two characters from %s", s->params->verp_filter);
	out->verp = delimiters;
	return NULL;
}

static const struct {
	const char *keyword;
	option_fn *parse;
	bool bare, valued; /* may it stand alone, may it have a value? */
} options[] = {
    {"BODY", opt_body, false, true},
    {"SIZE", opt_size, false, true},
    {"AUTH", opt_auth, false, true},
    {"RET", opt_ret, false, true},
    {"ENVID", opt_envid, false, true},
    {"XVERP", opt_verp, true, true},
    {"SMTPUTF8", opt_utf8, true, false},
    {"REQUIRETLS", opt_requiretls, true, false},
};

static bool parse_options(struct session *s, struct slice rest, struct mail_options *out)
{
	struct slice word, value;

	while (args_token(&rest, &word)) {
		const char *reply = unsupported;

		for (size_t i = 0; i < ARRAY_LEN(options); i++) {
			value = slice_of("", 0);
			if ((options[i].bare && slice_eq_nocase(word, options[i].keyword)) ||
			    (options[i].valued && args_option(word, options[i].keyword, &value)))
				reply = options[i].parse(s, value, out);
		}
		if (reply == unsupported)
			chat_reply(s, "555 5.5.4 Unsupported option: %.*s", SLICE_ARG(word));
		else if (reply)
			chat_reply(s, "%s", reply);
		if (reply)
			return false;
	}
	return true;
}

static bool fits(struct session *s, uint64_t size)
{
	const struct core_params *core = s->srv->config->core;
	int64_t limit = MIN(core->message_size_limit, INT64_MAX / 2), need = limit + limit / 2;
	const char *reply = "552 5.3.4 Message size exceeds fixed limit";
	struct err err = {0};

	if (core->message_size_limit == 0 || size <= (uint64_t)core->message_size_limit) {
		need = MAX(MAX(need, core->queue_minfree), (int64_t)MIN(size, INT64_MAX));
		if (queue_has_room(need, &err))
			return true;
		s->tx.sender.given = NULL; /* whoever it is from */
		reply = "452 4.3.1 Insufficient system storage";
	}
	access_log(s, "reject", reply);
	if (err.text[0])
		log_warn("%s", err.text);
	chat_reply(s, "%s", reply);
	return false;
}

static int accept_sender(struct session *s, struct slice rest)
{
	struct mail_options opts = {0};

	if (!parse_options(s, rest, &opts) || !fits(s, opts.size))
		return -1;
	s->tx.env_flags = opts.env_flags;
	s->tx.size = opts.size;
	s->tx.ret = opts.ret ? opts.ret : "";
	s->tx.envid = opts.envid ? opts.envid : "";
	s->tx.attributes = NULL;
	if (opts.verp && *s->tx.sender.address)
		s->tx.attributes = arena_printf(&s->tx.arena, ENVELOPE_VERP "=%s\n", opts.verp);
	if (s->tx.sasl_sender)
		s->tx.attributes = arena_printf(&s->tx.arena, "%s" ENVELOPE_SASL_SENDER "=%s\n",
		    s->tx.attributes ? s->tx.attributes : "", s->tx.sasl_sender);
	if (!s->params->delay_reject && access_sender(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	if (quota_message(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	s->tx.active = true;
	if (!s->params->delay_open_until_valid_rcpt)
		transaction_take_id(s);
	chat_reply(s, "250 2.1.0 Ok");
	return 0;
}

int cmd_mail(struct session *s, struct slice args)
{
	struct str address = {.max = ADDRESS_MAX};
	struct slice path, rest, word;
	enum cmd_args parsed;
	int result = -1;
	bool utf8;

	if (s->tx.chunks != CHUNKS_NONE || s->tx.active) {
		chat_reply(s, "503 5.5.1 Error: %s",
		    s->tx.active ? "nested MAIL command" : "MAIL after BDAT");
		return -1;
	}
	/* The address may be in UTF-8 only when SMTPUTF8 stands behind it (RFC 6531 3.4). */
	s->tx.utf8 = false;
	for (rest = args; args_token(&rest, &word);)
		s->tx.utf8 |= ehlo_offered(s, EHLO_SMTPUTF8) && slice_eq_nocase(word, "SMTPUTF8");
	parsed = args_path(s, args, "FROM", &address, &path, &rest);
	if (parsed != CMD_ARGS_SYNTAX &&
	    limits_message(s)) { /* whether it is then accepted or not */
		chat_reply(s, "%s", str_text(&s->reject));
		str_fini(&address);
		s->tx.utf8 = false;
		return -1;
	}
	switch (parsed) {
	case CMD_ARGS_SYNTAX:
		chat_reply(s, "501 5.5.4 Syntax: MAIL FROM:<address>");
		break;
	case CMD_ARGS_ADDRESS:
		args_log_bad(s, path, "MAIL");
		chat_reply(s, "501 5.1.7 Bad sender address syntax");
		break;
	case CMD_ARGS_UNICODE:
		chat_reply(s, "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
		break;
	case CMD_ARGS_OK:
		utf8 = s->tx.utf8;
		transaction_begin(s);
		s->tx.utf8 = utf8;
		transaction_target(s, &s->tx.sender, str_text(&address));
		result = accept_sender(s, rest);
		if (result < 0)
			transaction_end(s);
		break;
	}
	if (!s->tx.active)
		s->tx.utf8 = false;
	str_fini(&address);
	return result;
}
