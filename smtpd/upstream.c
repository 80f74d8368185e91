/* SPDX-License-Identifier: ISC */
/*
 * A proxy in front of us says whose connection it hands on, before anybody else says anything
 * (smtpd_upstream_proxy_protocol). What follows the header is the client's. Without a header that
 * is right the connection ends: who it comes from is not known.
 */
#include "lib/base/log.h"
#include "lib/smtp/proxy_header.h"
#include "lib/sys/clock.h"
#include "smtpd/smtpd.h"

enum { LOGGED_MAX = 100 };

/* Does this peer have to say who it speaks for? */
static bool is_proxy(struct session *s)
{
	struct err err;

	if (s->params->upstream_proxy_protocol == PROXY_NONE)
		return false;
	/* a list that fails: better no connection than a client that names itself */
	return !s->srv->proxy_networks ||
	       match_list_host(s->srv->proxy_networks, NULL, s->peer.addr, &err) != TABLE_NOT_FOUND;
}

static bool refuse(struct session *s, const char *why)
{
	struct str text = {0};

	chat_escape(&text, stream_buffered(&s->stream), LOGGED_MAX);
	log_warn("haproxy read: %s%s%.*s", why, text.len ? ": " : "", LOGGED_MAX, str_text(&text));
	str_fini(&text);
	return false;
}

static bool receive(struct session *s, struct proxy_header *header)
{
	enum proxy_result result;
	enum io_result io;
	const char *why;

	s->stream.deadline_ms = clock_mono_ms() + clock_ms_of(s->params->upstream_proxy_timeout);
	while ((result = proxy_header_parse(stream_buffered(&s->stream), header, &why)) ==
	       PROXY_HEADER_MORE) {
		io = stream_fill(&s->stream);
		if (io == IO_TIMEOUT)
			return refuse(s, "timeout error");
		if (io != IO_OK)
			return refuse(
			    s, stream_buffered(&s->stream).len ? "short protocol header" : "EOF");
	}
	if (result == PROXY_HEADER_BAD)
		return refuse(s, why);
	stream_take(&s->stream, header->used);
	s->stream.deadline_ms = 0;
	return true;
}

bool upstream_begin(struct session *s)
{
	struct proxy_header header;
	char text[64];

	if (!is_proxy(s))
		return true;
	if (!receive(s, &header))
		return false;
	if (header.local)
		return true;
	peer_from_address(s->srv, &header.client, &s->arena, &s->peer);
	net_addr_text(&header.server, text, sizeof(text));
	s->dest_addr = arena_strdup(&s->arena, text);
	s->dest_port = arena_printf(&s->arena, "%u", net_addr_port(&header.server));
	return true;
}
