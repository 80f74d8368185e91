/* SPDX-License-Identifier: ISC */
/* RCPT TO (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461), and VRFY, which asks the same. */
#include "smtpd/limits.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/smtp/command.h"

struct rcpt_options {
	uint32_t notify;
	const char *orcpt;
};

/* NOTIFY=NEVER, or a list of the other three (RFC 3461 4.1). */
static bool parse_notify(struct slice value, uint32_t *out)
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
	uint32_t bits = 0;

	for (;;) {
		const char *comma = value.len ? memchr(value.data, ',', value.len) : NULL;
		struct slice item =
		    slice_of(value.data, comma ? (size_t)(comma - value.data) : value.len);
		uint32_t bit = 0;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (slice_eq_nocase(item, names[i].name))
				bit = names[i].bit;
		if (bit == 0)
			return false;
		bits |= bit;
		if (!comma)
			break;
		value = slice_of(comma + 1, value.len - item.len - 1);
	}
	if (*out || (bits & NOTIFY_NEVER && bits != NOTIFY_NEVER))
		return false;
	*out = bits;
	return true;
}

/* addr-type ";" xtext (RFC 3461 4.2); kept decoded. */
static bool parse_orcpt(struct session *s, struct slice value, const char **out)
{
	const char *semi = value.len ? memchr(value.data, ';', value.len) : NULL;

	str_clear(&s->scratch);
	if (*out || !semi || semi == value.data || value.len > ADDRESS_MAX)
		return false;
	str_put(&s->scratch, value.data, (size_t)(semi + 1 - value.data));
	value = slice_of(semi + 1, value.len - s->scratch.len);
	if (!smtp_xtext_decode(value, &s->scratch) || !str_cstr(&s->scratch))
		return false;
	for (size_t i = 0; i < s->scratch.len; i++)
		if (s->scratch.data[i] < 32 || s->scratch.data[i] > 126)
			return false;
	*out = arena_strdup(&s->tx.arena, str_text(&s->scratch));
	return true;
}

static bool parse_options(struct session *s, struct slice rest, struct rcpt_options *out)
{
	struct slice word, value;

	while (args_word(&rest, &word)) {
		if (args_option(word, "NOTIFY", &value)) {
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

static int accept_rcpt(struct session *s, struct slice rest)
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
	if (limits_recipient(s) || quota_recipient(s)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	transaction_add_rcpt(s, opts.notify, opts.orcpt ? opts.orcpt : "");
	chat_reply(s, "250 2.1.5 Ok");
	return 0;
}

int cmd_rcpt(struct session *s, struct slice args)
{
	struct str address = {.max = ADDRESS_MAX};
	enum cmd_args parsed;
	struct slice rest;
	int result = -1;

	s->tx.has_rcpt = false;
	parsed = args_path(s, args, "TO", &address, &rest);
	if (parsed == CMD_ARGS_SYNTAX) {
		chat_reply(s, "501 5.5.4 Syntax: RCPT TO:<address>");
	} else if (parsed == CMD_ARGS_ADDRESS || address.len == 0) {
		args_log_bad(s, args, "RCPT");
		chat_reply(s, "501 5.1.3 Bad recipient address syntax");
	} else {
		transaction_target(s, &s->tx.rcpt, str_text(&address));
		s->tx.has_rcpt = true;
		result = accept_rcpt(s, rest);
	}
	str_fini(&address);
	return result;
}

/*
 * The answer is that of RCPT, so that it says no more than RCPT would. Outside a transaction there
 * is no sender.
 */
int cmd_vrfy(struct session *s, struct slice args)
{
	struct str address = {.max = ADDRESS_MAX};
	size_t used = 0;
	int result = -1;

	args = slice_trim(args);
	if (s->params->disable_vrfy) {
		chat_reply(s, "502 5.5.1 VRFY command is disabled");
	} else if (args.len == 0) {
		chat_reply(s, "501 5.5.4 Syntax: VRFY address");
	} else if (address_parse_path(args, false, &address, &used) < 0 || used != args.len ||
	           address.len == 0 || !str_cstr(&address)) {
		log_warn("Illegal address syntax from %s in VRFY command: %.*s", s->peer.namaddr,
		    SLICE_ARG(args));
		chat_reply(s, "501 5.1.3 Bad recipient address syntax");
	} else {
		bool inside = s->tx.active;

		if (!inside)
			transaction_begin(s);
		transaction_target(s, &s->tx.rcpt, str_text(&address));
		s->tx.has_rcpt = true;
		if (access_recipient(s)) {
			chat_reply(s, "%s", str_text(&s->reject));
		} else {
			chat_reply(s, "252 2.0.0 %s", s->tx.rcpt.given);
			result = 0;
		}
		if (!inside)
			transaction_end(s);
	}
	str_fini(&address);
	return result;
}
