/* SPDX-License-Identifier: ISC */
#include "smtp/session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"

/* A session from its first byte to its last; how it is opened stands in open.c. */

void session_set_host(struct session *s, const struct mx_addr *addr)
{
	char relay[512];

	free(s->host);
	free(s->name);
	free(s->relay);
	mx_addr_text(addr, relay, sizeof(relay));
	s->host = alloc_strdup(addr->host);
	s->relay = alloc_strdup(relay);
	s->name = alloc_strdup(relay);
	if (!addr->path)
		*strrchr(s->name, ':') = '\0'; /* the port */
}

struct session *session_new(const struct smtp_client *c, int fd, const struct target *to)
{
	struct session *s = alloc_zero(1, sizeof(*s));

	s->client = c;
	stream_init(&s->stream, fd, -1);
	s->nexthop = alloc_strdup(to->request->nexthop);
	s->domain = to->domain ? alloc_strdup(to->domain) : NULL;
	session_set_host(s, to->addr);
	s->opened_ms = clock_mono_ms();
	return s;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	session_tls_end(*s);
	stream_fini(&(*s)->stream);
	smtp_reply_fini(&(*s)->reply);
	free((*s)->tls_key);
	free((*s)->tls_words);
	free((*s)->nexthop);
	free((*s)->domain);
	free((*s)->host);
	free((*s)->name);
	free((*s)->relay);
	free((*s)->used);
	free((*s)->login_key);
	free((*s)->endpoint_key);
	free((*s)->destination_key);
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
		if (params->skip_quit_response) {
			session_show_commands(*s);
			stream_flush(&(*s)->stream);
		} else {
			session_reply(*s, params->quit_timeout);
		}
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

bool session_fits(const struct smtp_client *c, const struct session *s, const struct target *to)
{
	return strcmp(s->nexthop, to->request->nexthop) == 0 && session_tls_fits(c, s, to) &&
	       session_auth_fits(c, s, to);
}
