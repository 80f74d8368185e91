/* SPDX-License-Identifier: ISC */
#include "smtp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"

static const struct {
	const char *keyword;
	unsigned feature;
} features[] = {
    {"PIPELINING", FEATURE_PIPELINING},
    {"SIZE", FEATURE_SIZE},
    {"8BITMIME", FEATURE_8BITMIME},
    {"ENHANCEDSTATUSCODES", FEATURE_STATUS_CODES},
    {"DSN", FEATURE_DSN},
    {"SMTPUTF8", FEATURE_SMTPUTF8},
    {"STARTTLS", FEATURE_STARTTLS},
    {"AUTH", FEATURE_AUTH},
    {"CHUNKING", FEATURE_CHUNKING},
    {"XFORWARD", FEATURE_XFORWARD},
};

static bool discarded(const struct conf_list *discard, const char *keyword)
{
	for (size_t i = 0; i < discard->count; i++)
		if (text_eq_nocase(discard->items[i], keyword))
			return true;
	return false;
}

/* "250-SIZE 10240000": the line behind its code. */
static unsigned parse_feature(
    struct slice line, const struct conf_list *discard, uint64_t *size_limit_out)
{
	size_t len = 0;

	while (len < line.len && line.data[len] != ' ' && line.data[len] != '=')
		len++;
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (!slice_eq_nocase(slice_of(line.data, len), features[i].keyword) ||
		    discarded(discard, features[i].keyword))
			continue;
		if (features[i].feature == FEATURE_SIZE) {
			struct slice arg = slice_trim(slice_of(line.data + len, line.len - len));

			if (arg.len)
				num_u64(arg.data, arg.len, UINT64_MAX / 2, size_limit_out);
		}
		return features[i].feature;
	}
	return 0;
}

unsigned session_parse_ehlo(
    struct slice lines, const struct conf_list *discard, uint64_t *size_limit_out)
{
	unsigned found = FEATURE_ESMTP;
	bool first = true;

	*size_limit_out = 0;
	while (lines.len > 0) {
		const char *lf = memchr(lines.data, '\n', lines.len);
		size_t len = lf ? (size_t)(lf - lines.data) : lines.len;

		if (!first && len > 4)
			found |= parse_feature(
			    slice_of(lines.data + 4, len - 4), discard, size_limit_out);
		first = false;
		len += lf != NULL;
		lines = slice_of(lines.data + len, lines.len - len);
	}
	return found;
}

static struct session *session_new(int fd, const struct mx_addr *addr, const char *nexthop)
{
	struct session *s = alloc_zero(1, sizeof(*s));
	char text[64];

	net_addr_text(&addr->addr, text, sizeof(text));
	stream_init(&s->stream, fd, -1);
	s->nexthop = alloc_strdup(nexthop);
	s->host = alloc_strdup(addr->host);
	s->name = alloc_printf("%s[%s]", addr->host, text);
	s->relay = alloc_printf("%s:%u", s->name, net_addr_port(&addr->addr));
	s->opened_ms = clock_mono_ms();
	return s;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	stream_fini(&(*s)->stream);
	smtp_reply_fini(&(*s)->reply);
	free((*s)->nexthop);
	free((*s)->host);
	free((*s)->name);
	free((*s)->relay);
	free((*s)->used);
	free(*s);
	*s = NULL;
}

void session_quit(struct session **s, const struct smtp_params *params)
{
	if (!*s)
		return;
	if (!(*s)->dead && !(*s)->quit_sent) {
		(*s)->stream.timeout_ms = clock_ms_of(params->quit_timeout);
		stream_put(&(*s)->stream, "QUIT\r\n", 6);
		if (params->skip_quit_response)
			stream_flush(&(*s)->stream);
		else
			session_reply(*s, params->quit_timeout);
	}
	session_free(s);
}

bool session_reset(struct session *s, const struct smtp_params *params)
{
	if (s->dead || s->spent)
		return false;
	stream_put(&s->stream, "RSET\r\n", 6);
	if (session_reply(s, params->rset_timeout) == CHAT_OK && s->reply.code / 100 == 2)
		return true;
	s->spent = true;
	return false;
}

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

static int read_greeting(const struct smtp_client *c, struct session *s, bool detect_loops,
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
	if (detect_loops && says_own_name(s, c->core->myhostname))
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
	session_trouble(s, result,
	    verb[0] == 'E' ? "performing the EHLO handshake" : "performing the HELO handshake",
	    arena, why);
	return -1;
}

static int hello(const struct smtp_client *c, struct session *s, bool esmtp, bool detect_loops,
    struct arena *arena, struct trouble *why)
{
	if (esmtp) {
		if (say_hello(c, s, "EHLO", arena, why) < 0)
			return -1;
		if (s->reply.code / 100 == 2)
			s->features =
			    session_parse_ehlo(slice_of(s->reply.lines.data, s->reply.lines.len),
			        &c->params->discard_ehlo_keywords, &s->size_limit);
		else if (s->reply.code == 421)
			return refused(s, arena, why);
	}
	if (!(s->features & FEATURE_ESMTP)) {
		if (say_hello(c, s, "HELO", arena, why) < 0)
			return -1;
		if (s->reply.code / 100 != 2)
			return refused(s, arena, why);
	}
	if (detect_loops && says_own_name(s, c->core->myhostname))
		return loops(s, "replied to HELO/EHLO with", arena, why);
	return 0;
}

/* The address to connect from, or NULL. -1: it is set, cannot be used, and is enforced. */
static int bind_address(const struct smtp_client *c, const struct mx_addr *to,
    struct net_addr *storage, const struct net_addr **out, struct arena *arena, struct trouble *why)
{
	bool v6 = net_addr_is_v6(&to->addr);
	const char *text = v6 ? c->params->bind_address6 : c->params->bind_address;

	*out = NULL;
	if (!*text)
		return 0;
	if (net_addr_parse(storage, text, 0) && net_addr_is_v6(storage) == v6) {
		*out = storage;
		return 0;
	}
	log_warn("%s: \"%s\": expected an address of this host",
	    v6 ? "smtp_bind_address6" : "smtp_bind_address", text);
	if (!c->params->bind_address_enforce)
		return 0;
	trouble_set(why, arena, "4.4.0", "server configuration error");
	return -1;
}

static int connect_to(const struct smtp_client *c, const struct mx_addr *addr, struct arena *arena,
    struct trouble *why)
{
	int timeout_ms =
	    c->params->connect_timeout ? clock_ms_of(c->params->connect_timeout) : 600 * 1000;
	const struct net_addr *bind_to;
	struct net_addr storage;
	char text[64];
	struct err err;
	int fd;

	if (bind_address(c, addr, &storage, &bind_to, arena, why) < 0)
		return -1;
	fd = net_connect(&addr->addr, bind_to, timeout_ms, &err);
	if (fd >= 0)
		return fd;
	net_addr_text(&addr->addr, text, sizeof(text));
	trouble_set(why, arena, "4.4.1", "connect to %s[%s]:%u: %s", addr->host, text,
	    net_addr_port(&addr->addr), strerror(err.code));
	why->site = true;
	log_info("%s", why->reason);
	return -1;
}

int session_open(const struct smtp_client *c, const struct mx_addr *addr, const char *nexthop,
    bool detect_loops, struct arena *arena, struct session **out, struct trouble *why)
{
	const struct smtp_params *p = c->params;
	struct session *s;
	bool esmtp;
	int fd = connect_to(c, addr, arena, why);

	*out = NULL;
	if (fd < 0)
		return -1;
	*out = s = session_new(fd, addr, nexthop);
	s->give_up_ms = c->give_up_ms;
	if (read_greeting(c, s, detect_loops, arena, why) < 0)
		return -1;
	esmtp = !p->never_send_ehlo &&
	        (p->always_send_ehlo || strcasestr(str_text(&s->reply.text), "ESMTP"));
	return hello(c, s, esmtp, detect_loops, arena, why);
}
