/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/log.h"
#include "smtp/quirks.h"
#include "smtp/unreachable.h"

/*
 * From nothing to a session that takes mail: connection, greeting, EHLO, TLS and EHLO again,
 * authentication. Each step leaves *why when it fails.
 */

/* The second word of a greeting or of an EHLO answer is the server's name for itself. */
static bool says_own_name(const struct session *s, const char *myhostname)
{
	struct slice line = slice_of(s->reply.lines.data, s->reply.lines.len);
	size_t len = 0;

	if (line.len <= 4)
		return false;
	line = slice_of(line.data + 4, line.len - 4);
	while (len < line.len && line.data[len] != ' ' && line.data[len] != '\n')
		len++;
	return slice_eq_nocase(slice_of(line.data, len), myhostname);
}

static int refused(const struct session *s, struct arena *arena, struct trouble *why)
{
	session_refusal(s, "greeting", arena, why);
	why->reason = arena_printf(
	    arena, "host %s refused to talk to me: %.1500s", s->name, str_text(&s->reply.text));
	why->site = true;
	return -1;
}

static int loops(
    const struct session *s, const char *said, struct arena *arena, struct trouble *why)
{
	log_warn("host %s %s my own hostname", s->name, said);
	trouble_set(why, arena, "5.4.6", "mail for %s loops back to myself", s->nexthop);
	return -1;
}

static int read_greeting(const struct smtp_client *c, struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	enum chat_result result = session_reply(s, c->params->helo_timeout);

	if (result != CHAT_OK) {
		session_trouble(s, result, "receiving the initial server greeting", arena, why);
		return -1;
	}
	if (s->reply.code / 100 != 2) {
		refused(s, arena, why);
		if (c->params->skip_5xx_greeting && !why->soft) {
			why->soft = true;
			why->dsn[0] = '4';
		}
		return -1;
	}
	if (to->detect_loops && says_own_name(s, c->core->myhostname))
		return loops(s, "greeted me with", arena, why);
	return 0;
}

static int say_hello(const struct smtp_client *c, struct session *s, const char *verb,
    struct arena *arena, struct trouble *why)
{
	enum chat_result result;

	stream_printf(&s->stream, "%s %s\r\n", verb, c->params->helo_name);
	result = session_reply(s, c->params->helo_timeout);
	if (result == CHAT_OK)
		return 0;
	session_trouble(
	    s, result, arena_printf(arena, "performing the %s handshake", verb), arena, why);
	return -1;
}

/* EHLO or LHLO. 1: it was answered well, 0: it was refused, -1: *why. */
static int extended_hello(const struct smtp_client *c, struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	struct conf_list discard;

	if (say_hello(c, s, c->lmtp ? "LHLO" : "EHLO", arena, why) < 0)
		return -1;
	if (s->reply.code / 100 != 2) /* LMTP has no other way to begin */
		return s->reply.code == 421 || c->lmtp ? refused(s, arena, why) : 0;
	if (quirks_discard(c, s, to, arena, &discard, why) < 0)
		return -1;
	ehlo_parse(slice_of(s->reply.lines.data, s->reply.lines.len), &discard, &s->ehlo);
	return 1;
}

static int hello(const struct smtp_client *c, struct session *s, const struct target *to,
    bool extended, struct arena *arena, struct trouble *why)
{
	int rc = 0;

	s->ehlo = (struct ehlo){0};
	if (extended)
		rc = extended_hello(c, s, to, arena, why);
	if (rc == 0) {
		if (say_hello(c, s, "HELO", arena, why) < 0)
			return -1;
		if (s->reply.code / 100 != 2)
			return refused(s, arena, why);
	}
	if (rc < 0)
		return -1;
	if (to->detect_loops && says_own_name(s, c->core->myhostname))
		return loops(s, "replied to HELO/EHLO with", arena, why);
	return 0;
}

/* Is EHLO what to say after this greeting? -1: *why. */
static int wants_extended(const struct smtp_client *c, struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	const struct smtp_params *p = c->params;
	int pix = 0;

	if (c->lmtp)
		return 1;
	if (quirks_hides_greeting(s)) {
		pix = quirks_pix(c, s, to, arena, why);
		if (pix < 0)
			return -1;
		s->delay_dot = pix & PIX_DELAY_DOTCRLF;
	}
	if (p->never_send_ehlo || (pix & PIX_DISABLE_ESMTP))
		return 0;
	return p->always_send_ehlo || strcasestr(str_text(&s->reply.text), "ESMTP");
}

/* What a step that is none of this file's has done; after TLS all that was said before is void. */
static int secure(const struct smtp_client *c, struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	if (s->secured) { /* wrapped from the start */
		session_tls_ready(c, s);
		return 0;
	}
	switch (session_start_tls(c, s, to, arena, why)) {
	case STEP_NONE:
		return 0;
	case STEP_FAILED:
		return -1;
	case STEP_DONE:
		break;
	}
	if (hello(c, s, to, true, arena, why) < 0) {
		/* some break off only here: a client certificate that they miss, ... */
		why->again_plain = s->dead && session_tls_optional(c, to, arena);
		return -1;
	}
	session_tls_ready(c, s);
	return 0;
}

/* Up to the greeting. Whether there is a server at all is known then. */
static int greet(const struct smtp_client *c, struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	int rc = -1;

	if (session_wrap_tls(c, s, to, arena, why) != STEP_FAILED)
		rc = read_greeting(c, s, to, arena, why);
	if (!to->addr->path)
		unreachable_end(c->unreachable, &to->addr->addr, rc == 0 || !why->silent);
	return rc;
}

int session_open(const struct smtp_client *c, const struct target *to, struct arena *arena,
    struct session **out, struct trouble *why)
{
	struct session *s;
	int extended, fd = session_connect(c, to->addr, arena, why);

	*out = NULL;
	if (fd < 0)
		return -1;
	*out = s = session_new(c, fd, to);
	s->give_up_ms = c->give_up_ms;
	s->transcript = c->transcript;
	if (greet(c, s, to, arena, why) < 0)
		return -1;
	extended = wants_extended(c, s, to, arena, why);
	if (extended < 0 || hello(c, s, to, extended, arena, why) < 0 ||
	    secure(c, s, to, arena, why) < 0)
		return -1;
	return session_authenticate(c, s, to, arena, why) == STEP_FAILED ? -1 : 0;
}
