/* SPDX-License-Identifier: ISC */
/*
 * A proxy in front of us says whose connection it hands on, before anybody else says anything
 * (smtpd_upstream_proxy_protocol). What follows the header is the client's. Without a header that
 * is right the connection ends: who it comes from is not known.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

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

static bool refuse(const char *why, struct slice seen)
{
	struct str text = {0};

	chat_escape(&text, seen, LOGGED_MAX);
	log_warn("haproxy read: %s%s%.*s", why, text.len ? ": " : "", LOGGED_MAX, str_text(&text));
	str_fini(&text);
	return false;
}

/*
 * Where TLS begins behind the header its bytes must stay in the socket: the handshake reads from
 * there. A look at the socket shows more; only what is the header's own is taken.
 */
static enum io_result take_part(struct session *s, struct str *seen, struct proxy_header *header,
    enum proxy_result *result, const char **why)
{
	enum io_result io = stream_wait(&s->stream, POLLIN);
	size_t before = seen->len;
	char part[1024];
	ssize_t n;

	if (io != IO_OK)
		return io;
	n = recv(s->stream.fd, part, sizeof(part), MSG_PEEK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return IO_OK;
	if (n <= 0)
		return IO_EOF;
	str_put(seen, part, (size_t)n);
	*result = proxy_header_parse(slice_of(seen->data, seen->len), header, why);
	if (*result == PROXY_HEADER_OK)
		n = (ssize_t)(header->used - before);
	return recv(s->stream.fd, part, (size_t)n, 0) == n ? IO_OK : IO_EOF;
}

static bool receive_before_tls(struct session *s, struct proxy_header *header)
{
	enum proxy_result result = PROXY_HEADER_MORE;
	enum io_result io = IO_OK;
	const char *why = NULL;
	struct str seen = {0};

	s->stream.deadline_ms = clock_mono_ms() + clock_ms_of(s->params->upstream_proxy_timeout);
	while (result == PROXY_HEADER_MORE && io == IO_OK)
		io = take_part(s, &seen, header, &result, &why);
	s->stream.deadline_ms = 0;
	if (io == IO_TIMEOUT)
		why = "timeout error";
	else if (io != IO_OK)
		why = seen.len ? "short protocol header" : "EOF";
	if (io != IO_OK || result != PROXY_HEADER_OK)
		refuse(why, slice_of(seen.data, seen.len));
	str_fini(&seen);
	return io == IO_OK && result == PROXY_HEADER_OK;
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
			return refuse("timeout error", stream_buffered(&s->stream));
		if (io != IO_OK)
			return refuse(
			    stream_buffered(&s->stream).len ? "short protocol header" : "EOF",
			    stream_buffered(&s->stream));
	}
	if (result == PROXY_HEADER_BAD)
		return refuse(why, stream_buffered(&s->stream));
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
	if (!(s->srv->config->tls.wrappermode ? receive_before_tls(s, &header)
	                                      : receive(s, &header)))
		return false;
	if (header.local)
		return true;
	peer_from_address(s->srv, &header.client, &s->arena, &s->peer);
	net_addr_text(&header.server, text, sizeof(text));
	s->dest_addr = arena_strdup(&s->arena, text);
	s->dest_port = arena_printf(&s->arena, "%u", net_addr_port(&header.server));
	return true;
}
