/* SPDX-License-Identifier: ISC */
/* RCPT TO (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461), and VRFY, which asks the same. */
#include "smtpd/limits.h"

#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/smtp/command.h"
#include "smtpd/ehlo.h"

enum { ORCPT_MAX = 1500 };

struct rcpt_options {
	uint32_t notify;
	const char *orcpt;
};

/* NOTIFY=NEVER, or a list of the other three (RFC 3461 4.1). */
static bool parse_notify(struct slice whole, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} names[] = {
	    {"NEVER", NOTIFY_NEVER},
	    {"SUCCESS", NOTIFY_SUCCESS},
	    {"FAILURE", NOTIFY_FAILURE},
	    {"DELAY", NOTIFY_DELAY},
	};
	struct slice value = whole;
	uint32_t bits = 0;

	for (;;) {
		const char *comma = value.len ? memchr(value.data, ',', value.len) : NULL;
		struct slice item =
		    slice_of(value.data, comma ? (size_t)(comma - value.data) : value.len);
		uint32_t bit = 0;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (slice_eq_nocase(item, names[i].name))
				bit = names[i].bit;
		if (bit == 0 && item.len > 0) {
			log_warn("unknown DSN NOTIFY command value \"%.*s\" in \"%.*s\"",
			    SLICE_ARG(item), SLICE_ARG(whole));
			return false;
		}
		bits |= bit;
		if (!comma)
			break;
		value = slice_of(comma + 1, value.len - item.len - 1);
	}
	if (bits == 0 || *out || (bits & NOTIFY_NEVER && bits != NOTIFY_NEVER))
		return false;
	*out = bits;
	return true;
}

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < 32 || text.data[i] > 126)
			return false;
	return true;
}

/* addr-type ";" xtext (RFC 3461 4.2); kept decoded. */
static bool parse_orcpt(struct session *s, struct slice value, const char **out)
{
	const char *semi = value.len ? memchr(value.data, ';', value.len) : NULL;

	str_clear(&s->scratch);
	if (*out || !semi || semi == value.data || value.len > ORCPT_MAX)
		return false;
	str_put(&s->scratch, value.data, (size_t)(semi + 1 - value.data));
	value = slice_of(semi + 1, value.len - s->scratch.len);
	if (!smtp_xtext_decode(value, &s->scratch) || !str_cstr(&s->scratch))
		return false;
	if (!is_printable(slice_of(s->scratch.data, s->scratch.len)))
		return false;
	*out = arena_strdup(&s->tx.arena, str_text(&s->scratch));
	return true;
}

static bool parse_options(struct session *s, struct slice rest, struct rcpt_options *out)
{
	struct slice word, value;

	while (args_token(&rest, &word)) {
		if (ehlo_discarded(s, EHLO_DSN) &&
		    (args_option(word, "NOTIFY", &value) || args_option(word, "ORCPT", &value))) {
			chat_reply(s, "501 5.7.1 DSN support is disabled");
		} else if (args_option(word, "NOTIFY", &value)) {
			if (parse_notify(value, &out->notify))
				continue;
			chat_reply(s, "501 5.5.4 Error: Bad NOTIFY parameter syntax");
		} else if (args_option(word, "ORCPT", &value)) {
			if (parse_orcpt(s, value, &out->orcpt))
				continue;
			chat_reply(s, "501 5.5.4 Error: Bad ORCPT parameter syntax");
		} else {
			chat_reply(s, "555 5.5.4 Unsupported option: %.*s", SLICE_ARG(word));
		}
		return false;
	}
	return true;
}

/*
 * RFC 3461 5.2.1: the recipient as the client wrote it. "" where who passes the message on or
 * reports on it finds the same in the envelope, or where it is nothing to be written into a header.
 */
static const char *implied_orcpt(struct session *s, struct slice path)
{
	const char *given = s->tx.rcpt.given;

	if (path.len > 1 && path.data[0] == '<' && path.data[path.len - 1] == '>')
		path = slice_of(path.data + 1, path.len - 2);
	str_clear(&s->scratch);
	address_quote(&s->scratch, given);
	if ((slice_eq(path, str_text(&s->scratch)) && strchr(given, '@')) || !is_printable(path) ||
	    path.len > ADDRESS_MAX)
		return "";
	return arena_printf(&s->tx.arena, "rfc822;%.*s", SLICE_ARG(path));
}

static int accept_rcpt(struct session *s, struct slice path, struct slice rest)
{
	struct rcpt_options opts = {0};

	if (!parse_options(s, rest, &opts))
		return -1;
	if (s->tx.rcpt_count >= (size_t)s->params->recipient_limit) {
		chat_reply(s, "452 4.5.3 Error: too many recipients");
		return s->tx.overshoot++ < s->params->recipient_overshoot_limit ? 0 : -1;
	}
	if (access_recipient(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	if (quota_recipient(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	transaction_add_rcpt(s, opts.notify, opts.orcpt ? opts.orcpt : implied_orcpt(s, path));
	chat_reply(s, "250 2.1.5 Ok");
	return 0;
}

int cmd_rcpt(struct session *s, struct slice args)
{
	struct str address = {.max = ADDRESS_MAX};
	enum cmd_args parsed;
	struct slice path, rest;
	int result = -1;

	s->tx.has_rcpt = false;
	if (s->tx.chunks != CHUNKS_NONE) {
		chat_reply(s, "503 5.5.1 Error: RCPT after BDAT");
		return -1;
	}
	parsed = args_path(s, args, "TO", &address, &path, &rest);
	if (parsed == CMD_ARGS_SYNTAX) {
		chat_reply(s, "501 5.5.4 Syntax: RCPT TO:<address>");
	} else if (limits_recipient(s)) { /* whether it is then accepted or not */
		chat_reply(s, "%s", str_text(&s->reject));
	} else if (parsed == CMD_ARGS_UNICODE) {
		chat_reply(s, "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
	} else if (parsed == CMD_ARGS_ADDRESS || address.len == 0) {
		args_log_bad(s, path, "RCPT");
		chat_reply(s, "501 5.1.3 Bad recipient address syntax");
	} else {
		transaction_target(s, &s->tx.rcpt, str_text(&address));
		s->tx.has_rcpt = true;
		result = accept_rcpt(s, path, rest);
	}
	str_fini(&address);
	return result;
}

/* " SMTPUTF8" at the end (RFC 6531 3.7.4.2) is taken off. */
static bool take_utf8(struct session *s, struct slice *args)
{
	static const char word[] = "SMTPUTF8";
	size_t len = sizeof(word) - 1;

	if (!ehlo_offered(s, EHLO_SMTPUTF8) || args->len <= len ||
	    strncasecmp(args->data + args->len - len, word, len) != 0 ||
	    !(args->data[args->len - len - 1] == ' ' || args->data[args->len - len - 1] == '\t'))
		return false;
	*args = slice_trim(slice_of(args->data, args->len - len));
	return true;
}

/* "bob", "<bob@x>", "Bob <bob@x>" : one address, with a name at most. */
static bool parse_address(struct slice args, struct str *address)
{
	const char *open = memchr(args.data, '<', args.len);
	size_t used = 0;

	if (open && open > args.data && args.data[args.len - 1] == '>')
		args = slice_of(open, (size_t)(args.data + args.len - open));
	return address_parse_path(args, false, address, &used) == 0 && used == args.len &&
	       address->len > 0 && str_cstr(address);
}

/*
 * The answer is that of RCPT, so that it says no more than RCPT would. Outside a transaction there
 * is no sender.
 */
static int verify(struct session *s, struct slice args, const char *address)
{
	bool inside = s->tx.active;
	int result = -1;

	if (!inside)
		transaction_begin(s);
	transaction_target(s, &s->tx.rcpt, address);
	s->tx.has_rcpt = true;
	if (access_recipient(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
	} else {
		chat_reply(s, "252 2.0.0 %.*s", SLICE_ARG(args));
		result = 0;
	}
	s->tx.has_rcpt = false;
	if (!inside)
		transaction_end(s);
	return result;
}

int cmd_vrfy(struct session *s, struct slice args)
{
	struct str address = {.max = ADDRESS_MAX};
	bool utf8 = s->tx.utf8;
	int result = -1;

	args = slice_trim(args);
	s->tx.utf8 = take_utf8(s, &args);
	if (s->params->disable_vrfy)
		chat_reply(s, "502 5.5.1 VRFY command is disabled");
	else if (args.len == 0)
		chat_reply(s, "501 5.5.4 Syntax: VRFY address%s",
		    s->srv->shape->smtputf8_enable ? " [SMTPUTF8]" : "");
	else if (parse_address(args, &address) &&
	         args_domain(s, str_text(&address)) == CMD_ARGS_UNICODE)
		chat_reply(s, "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
	else if (parse_address(args, &address) && args_domain(s, str_text(&address)) == CMD_ARGS_OK)
		result = verify(s, args, str_text(&address));
	else {
		log_warn("Illegal address syntax from %s in VRFY command: %.*s", s->peer.namaddr,
		    SLICE_ARG(args));
		chat_reply(s, "501 5.1.3 Bad recipient address syntax");
	}
	s->tx.utf8 = utf8;
	str_fini(&address);
	return result;
}
