/* SPDX-License-Identifier: ISC */
/*
 * The connection to a policy service: request and answer are lines "name=value", ended by an empty
 * line, again and again on one connection.
 */
#include "smtpd/policy.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"

enum { LINE_MAX_LEN = 8192, LINES_MAX = 100 };

void policy_disconnect(struct policy *p)
{
	if (p->connected)
		stream_fini(&p->stream);
	p->connected = false;
}

static int connect_inet(const char *text, int timeout_ms, struct err *err)
{
	char host[256], service[12];
	unsigned port = 0;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
	struct net_addr addr;
	int fd = -1, rc;

	if (net_split_host_port(text, host, sizeof(host), &port, err) < 0)
		return -1;
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(*host ? host : "localhost", service, &hints, &all);
	if (rc != 0)
		return err_set(err, EIO, "%s: %s", host, gai_strerror(rc));
	for (struct addrinfo *i = all; i && fd < 0; i = i->ai_next) {
		memset(&addr, 0, sizeof(addr));
		memcpy(&addr.sa, i->ai_addr, i->ai_addrlen);
		addr.len = i->ai_addrlen;
		fd = net_connect(&addr, NULL, 0, timeout_ms, err);
	}
	freeaddrinfo(all);
	return fd;
}

static int open_connection(struct policy *p, struct err *err)
{
	int timeout_ms = clock_ms_of(p->settings.timeout), fd;
	const char *colon = strchr(p->endpoint, ':');
	struct slice type = slice_of(p->endpoint, (size_t)(colon - p->endpoint));

	if (slice_eq(type, "inet"))
		fd = connect_inet(colon + 1, timeout_ms, err);
	else if (slice_eq(type, "unix") || slice_eq(type, "local"))
		fd = net_connect_unix(colon + 1, timeout_ms, err);
	else
		fd = err_set(err, EINVAL, "expected inet:host:port or unix:path");
	if (fd < 0)
		return -1;
	stream_init(&p->stream, fd, timeout_ms);
	p->connected = true;
	p->opened_ms = clock_mono_ms();
	p->requests = 0;
	return 0;
}

/* A connection that was used long enough, or that the server has ended, is not used again. */
static bool is_stale(struct policy *p)
{
	const struct policy_settings *set = &p->settings;
	int64_t now = clock_mono_ms();

	return now - p->used_ms >= clock_ms_of(set->max_idle) ||
	       now - p->opened_ms >= clock_ms_of(set->max_ttl) ||
	       (set->request_limit > 0 && p->requests >= set->request_limit) ||
	       stream_readable(&p->stream);
}

static int fail(struct err *err, enum io_result why)
{
	switch (why) {
	case IO_TIMEOUT:
		return err_set(err, ETIMEDOUT, "%s", strerror(ETIMEDOUT));
	case IO_EOF:
		return err_set(err, EPIPE, "the server has ended the connection");
	case IO_LONG:
		return err_set(err, EPROTO, "a line of more than %d bytes", LINE_MAX_LEN);
	default:
		return err_sys(err, "input or output");
	}
}

/* A line that does not end is not read to its end. */
static enum io_result read_line(struct policy *p, struct str *line)
{
	for (;;) {
		struct slice in = stream_buffered(&p->stream);
		const char *lf = in.len ? memchr(in.data, '\n', in.len) : NULL;
		enum io_result got;

		if (lf || in.len > LINE_MAX_LEN) {
			str_clear(line);
			str_put(line, in.data, lf ? (size_t)(lf - in.data) : 0);
			stream_take(&p->stream, line->len + 1);
			return lf && line->len <= LINE_MAX_LEN ? IO_OK : IO_LONG;
		}
		got = stream_fill(&p->stream);
		if (got != IO_OK)
			return got;
	}
}

/* Reads "name=value" lines up to an empty one; the action goes to out. */
static int read_answer(struct policy *p, struct str *out, struct err *err)
{
	struct str line = {0};
	int result = -1;

	str_clear(out);
	for (int i = 0; i < LINES_MAX; i++) {
		enum io_result got = read_line(p, &line);

		if (got != IO_OK) {
			fail(err, got);
			goto end;
		}
		if (line.len == 0)
			break;
		if (!str_cstr(&line) || !strchr(line.data, '=')) {
			err_set(err, EPROTO, "a line that is no name=value");
			goto end;
		}
		if (strncmp(line.data, "action=", 7) == 0 && out->len == 0)
			str_put_text(out, line.data + 7);
	}
	if (out->len == 0)
		err_set(err, EPROTO, "no action in the answer");
	else if (!chat_utf8_valid(slice_of(out->data, out->len)))
		err_set(err, EPROTO, "malformed UTF-8 in the answer");
	else
		result = 0;
end:
	str_fini(&line);
	return result;
}

static int ask_once(
    struct policy *p, const struct str *request, struct str *action_out, struct err *err)
{
	enum io_result sent;

	if (!p->connected && open_connection(p, err) < 0)
		return -1;
	p->requests++;
	p->stream.deadline_ms = clock_mono_ms() + clock_ms_of(p->settings.timeout);
	sent = stream_put(&p->stream, request->data, request->len);
	if (sent == IO_OK)
		sent = stream_flush(&p->stream);
	if (sent != IO_OK)
		return fail(err, sent);
	if (read_answer(p, action_out, err) < 0)
		return -1;
	p->used_ms = clock_mono_ms();
	return 0;
}

bool policy_ask(
    struct policy *p, struct service *service, const struct str *request, struct str *out)
{
	struct err err = {0};

	if (p->connected && is_stale(p))
		policy_disconnect(p);
	for (int try = 1; try <= p->settings.try_limit; try++) {
		bool reused = p->connected, connected;

		if (ask_once(p, request, out, &err) == 0) {
			if (p->settings.request_limit == 1)
				policy_disconnect(p);
			return true;
		}
		connected = p->connected;
		policy_disconnect(p);
		if (service)
			service_alive(service);
		if (reused && err.code != ETIMEDOUT && err.code != EPROTO) {
			try--; /* it has ended while nobody looked: that is no failure */
			continue;
		}
		if (!connected)
			log_warn("connect to %s: %s", strchr(p->endpoint, ':') + 1,
			    err.code > 0 ? strerror(err.code) : err.text);
		log_warn("problem talking to server %s: %s", strchr(p->endpoint, ':') + 1,
		    err.code > 0 && err.code != EPROTO ? strerror(err.code) : err.text);
		if (try < p->settings.try_limit)
			poll(NULL, 0, clock_ms_of(p->settings.retry_delay));
	}
	return false;
}
