/* SPDX-License-Identifier: ISC */
#include "smtpd/xclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/mail/address.h"
#include "lib/mail/idna.h"
#include "lib/smtp/command.h"
#include "smtpd/ehlo.h"
#include "smtpd/limits.h"

enum { VALUE_MAX = 255, PORT_DIGITS = 5 };

/* What a command says, before any of it counts. NULL: not said. */
struct claim {
	struct peer peer; /* changed in place */
	struct forwarded forwarded;
	const char *helo, *protocol, *login, *dest_addr, *dest_port;
	bool unnamed; /* HELO or LOGIN is [UNAVAILABLE]: forget it */
};

/* The syntax of one attribute. value is "" for [UNAVAILABLE]; false: it is bad. */
typedef bool attribute_fn(struct session *s, struct claim *claim, const char *value, bool later);

static bool is_port(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= PORT_DIGITS && strspn(value, "0123456789") == len;
}

/* "192.0.2.1" or "IPV6:2001:db8::1" into out, without the prefix. */
static bool is_address(const char *value, char *out, size_t size)
{
	struct net_addr addr;
	bool v6 = strncasecmp(value, "IPV6:", 5) == 0;

	if (!net_addr_parse(&addr, v6 ? value + 5 : value, 0) || (!v6 && strchr(value, ':')))
		return false;
	net_addr_text(&addr, out, size);
	return true;
}

static enum peer_status name_status(const char *value, bool later)
{
	return later ? PEER_NAME_TEMPFAIL : *value ? PEER_NAME_OK : PEER_NAME_PERMFAIL;
}

static bool is_hostname(const char *value)
{
	return strlen(value) <= 255 && address_domain_valid(value) && *value != '[' &&
	       idna_is_ascii(value);
}

static bool take_name(struct session *s, struct claim *claim, const char *value, bool later)
{
	if (*value && !is_hostname(value))
		return false;
	claim->peer.name_status = name_status(value, later);
	claim->peer.name = *value ? arena_strdup(&s->arena, value) : "unknown";
	claim->forwarded.name = claim->peer.name;
	return true;
}

static bool take_reverse(struct session *s, struct claim *claim, const char *value, bool later)
{
	if (*value && !is_hostname(value))
		return false;
	claim->peer.reverse_status = name_status(value, later);
	claim->peer.reverse_name = *value ? arena_strdup(&s->arena, value) : "unknown";
	return true;
}

static bool take_address(struct session *s, struct claim *claim, const char *value, bool later)
{
	char text[64] = "unknown";

	(void)later;
	if (*value && !is_address(value, text, sizeof(text)))
		return false;
	peer_set_address(&claim->peer, text);
	claim->forwarded.addr = arena_strdup(&s->arena, text);
	return true;
}

static bool take_port(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	if (*value && !is_port(value))
		return false;
	snprintf(claim->peer.port, sizeof(claim->peer.port), "%s", *value ? value : "unknown");
	claim->forwarded.port = *value ? arena_strdup(&s->arena, value) : "unknown";
	return true;
}

static bool take_helo(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	claim->helo = *value ? arena_strdup(&s->arena, value) : NULL;
	claim->unnamed = !*value;
	claim->forwarded.helo = *value ? claim->helo : "unknown";
	return true;
}

static bool take_protocol(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)s;
	(void)later;
	if (strcasecmp(value, "SMTP") == 0)
		claim->protocol = "SMTP";
	else if (strcasecmp(value, "ESMTP") == 0)
		claim->protocol = "ESMTP";
	else
		return false;
	return true;
}

/* What a filter forwards may be any protocol: it is only told on. */
static bool forward_protocol(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	if (strlen(value) > 64)
		return false;
	claim->forwarded.protocol = *value ? arena_strdup(&s->arena, value) : "unknown";
	return true;
}

static bool take_login(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	claim->login = *value ? arena_strdup(&s->arena, value) : NULL;
	return true;
}

static bool take_dest_addr(struct session *s, struct claim *claim, const char *value, bool later)
{
	char text[64] = "unknown";

	(void)later;
	if (*value && !is_address(value, text, sizeof(text)))
		return false;
	claim->dest_addr = arena_strdup(&s->arena, text);
	return true;
}

static bool take_dest_port(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	if (*value && !is_port(value))
		return false;
	claim->dest_port = *value ? arena_strdup(&s->arena, value) : "unknown";
	return true;
}

static bool forward_ident(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)later;
	claim->forwarded.ident = *value ? arena_strdup(&s->arena, value) : NULL;
	return true;
}

static bool forward_source(struct session *s, struct claim *claim, const char *value, bool later)
{
	(void)s;
	(void)later;
	if (*value && strcasecmp(value, "LOCAL") != 0 && strcasecmp(value, "REMOTE") != 0)
		return false;
	claim->forwarded.local = strcasecmp(value, "LOCAL") == 0;
	return true;
}

struct attribute {
	const char *name;
	attribute_fn *take;
	bool later; /* may be [TEMPUNAVAIL] */
};
static const struct attribute client_attributes[] = {
    {"NAME", take_name, true},
    {"ADDR", take_address, false},
    {"PROTO", take_protocol, false},
    {"HELO", take_helo, false},
    {"REVERSE_NAME", take_reverse, true},
    {"PORT", take_port, false},
    {"LOGIN", take_login, false},
    {"DESTADDR", take_dest_addr, false},
    {"DESTPORT", take_dest_port, false},
    {NULL, NULL, false},
};
static const struct attribute forward_attributes[] = {
    {"NAME", take_name, false},
    {"ADDR", take_address, false},
    {"PROTO", forward_protocol, false},
    {"HELO", take_helo, false},
    {"SOURCE", forward_source, false},
    {"PORT", take_port, false},
    {"IDENT", forward_ident, false},
    {NULL, NULL, false},
};

static bool is_among(struct session *s, struct match_list *hosts)
{
	struct err err;
	enum table_answer answer;

	if (!hosts)
		return false;
	answer = match_list_host(hosts, s->peer.name, s->peer.addr, &err);
	if (answer == TABLE_ERROR)
		log_warn("%s", err.text);
	return answer == TABLE_FOUND;
}

bool xclient_allowed(struct session *s)
{
	return is_among(s, s->srv->xclient_hosts);
}

/* An XCLIENT in between takes nothing away from a filter. */
bool xforward_allowed(struct session *s)
{
	return s->may_xforward;
}

void xclient_begin(struct session *s)
{
	s->may_xforward = is_among(s, s->srv->xforward_hosts);
}

void xclient_names(bool forward, struct str *out)
{
	const struct attribute *a = forward ? forward_attributes : client_attributes;

	for (; a->name; a++)
		str_printf(out, " %s", a->name);
}

/*
 * One "NAME=value"; the value is xtext, though who says "+zz" means that. What is not printable
 * would go into log lines and headers.
 */
static bool take_word(struct session *s, const struct attribute *attributes, const char *verb,
    struct slice word, struct claim *claim)
{
	const char *equals = memchr(word.data, '=', word.len);
	struct slice given;
	struct str value = {0};
	bool later, ok = false;
	const char *text;

	if (!equals || equals + 1 == word.data + word.len) {
		chat_reply(s, "501 5.5.4 Error: attribute=value expected");
		return false;
	}
	given = slice_of(equals + 1, (size_t)(word.data + word.len - (equals + 1)));
	word.len = (size_t)(equals - word.data);
	if (!smtp_xtext_decode(given, &value) || !str_cstr(&value)) {
		str_clear(&value);
		str_put(&value, given.data, given.len);
	}
	text_make_printable(value.data, value.len);
	text = str_text(&value);
	later = text_eq_nocase(text, "[TEMPUNAVAIL]");
	for (; attributes->name && !slice_eq_nocase(word, attributes->name); attributes++)
		;
	if (value.len > VALUE_MAX)
		chat_reply(s, "501 5.5.4 Error: attribute value too long");
	else if (!attributes->name)
		chat_reply(s, "501 5.5.4 Bad %s attribute name: %.*s", verb,
		    (int)MIN(word.len, VALUE_MAX), word.data);
	else if ((later && !attributes->later) ||
	         !attributes->take(
	             s, claim, later || text_eq_nocase(text, "[UNAVAILABLE]") ? "" : text, later))
		chat_reply(s, "501 5.5.4 Bad %s syntax: %s", attributes->name, text);
	else
		ok = true;
	str_fini(&value);
	return ok;
}

/* false: answered. */
static bool take_claim(struct session *s, bool forward, struct slice args, struct claim *claim)
{
	const char *verb = forward ? "XFORWARD" : "XCLIENT";
	struct slice word;

	if (!(forward ? xforward_allowed(s) : xclient_allowed(s))) {
		chat_reply(s, "550 5.7.0 Error: insufficient authorization");
		return false;
	}
	*claim = (struct claim){.peer = s->peer, .forwarded = s->forwarded};
	while (args_word(&args, &word))
		if (!take_word(
		        s, forward ? forward_attributes : client_attributes, verb, word, claim))
			return false;
	return true;
}

static char *keep(char *old, const char *text)
{
	free(old);
	return text ? alloc_strdup(text) : NULL;
}

int cmd_xclient(struct session *s, struct slice args)
{
	struct claim claim;

	if (args.len == 0) {
		chat_reply(s, "501 5.5.4 Syntax: XCLIENT attribute=value...");
		return -1;
	}
	if (!take_claim(s, false, args, &claim))
		return -1;
	transaction_end(s);
	limits_leave(s);
	peer_complete(s->srv, &s->arena, &claim.peer);
	s->peer = claim.peer;
	s->in_mynetworks_known = false;
	s->helo = keep(s->helo, claim.helo);
	for (char *p = s->helo; p && *p; p++)
		if (strchr("<>()\\\";@", *p) || *p <= 32)
			*p = '?';
	if (claim.protocol)
		s->protocol = claim.protocol;
	else if (!claim.helo)
		s->protocol = "SMTP";
	/* another client, then; who was logged in until now is not it */
	session_set_login(s, claim.login, claim.login ? "XCLIENT" : NULL);
	if (claim.dest_addr)
		s->dest_addr = claim.dest_addr;
	if (claim.dest_port)
		s->dest_port = claim.dest_port;
	s->forwarded = (struct forwarded){0};
	session_greet(s);
	return 1; /* as Postfix counts it: tried */
}

int cmd_xforward(struct session *s, struct slice args)
{
	struct claim claim;

	if (args.len == 0) {
		chat_reply(s, "501 5.5.4 Syntax: XFORWARD attribute=value...");
		return -1;
	}
	if (!take_claim(s, true, args, &claim))
		return -1;
	s->forwarded = claim.forwarded;
	s->forwarded.any = true;
	chat_reply(s, "250 2.0.0 Ok");
	return 0;
}

void xforward_log(const struct session *s, struct str *out)
{
	const struct forwarded *f = &s->forwarded;

	if (f->ident)
		str_printf(out, ", orig_queue_id=%s", f->ident);
	if (!f->name && !f->addr)
		return;
	str_printf(out, ", orig_client=%s", f->name ? f->name : "unknown");
	if (!f->addr || strcmp(f->addr, "unknown") == 0)
		return;
	str_printf(out, "[%s]", f->addr);
	if (s->srv->config->smtpd.client_port_logging)
		str_printf(out, ":%s", f->port ? f->port : "unknown");
}
