/* SPDX-License-Identifier: ISC */
#include "lib/auth/dovecot.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/auth/dovecot_line.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/io/stream.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"
#include "lib/tls/digest.h"

enum {
	MECHANISMS_MAX = 64,
	HANDSHAKE_LINES_MAX = 256,
	STRAY_LINES_MAX = 1000, /* answers to exchanges that were given up */
	ADDRESSES_MAX = 8,
};

struct mechanism {
	char name[DOVECOT_MECH_MAX + 1];
	unsigned security;
};

struct dovecot {
	struct auth auth;
	char *path;
	int timeout_ms;
	bool connected;
	struct stream stream;
	struct str in;
	struct dovecot_line line;
	struct mechanism mechanisms[MECHANISMS_MAX];
	size_t mechanism_count;
	uint32_t id;
	bool busy; /* an exchange has begun and is not over */
};

static const char *without_prefix(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

int auth_dovecot_check(const char *path, struct err *err)
{
	const char *inet = without_prefix(path, "inet:");
	const char *local = without_prefix(path, "unix:");
	char host[256];
	unsigned port;

	if (inet)
		return net_split_host_port(inet, host, sizeof(host), &port, err);
	if (!*(local ? local : path))
		return err_set(err, EINVAL, "expected a socket: path, unix:path or inet:host:port");
	return 0;
}

static int connect_inet(const struct dovecot *d, const char *target, struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all, *a;
	char host[256];
	unsigned port;
	int fd = -1, tries = 0, rc;

	if (net_split_host_port(target, host, sizeof(host), &port, err) < 0)
		return -1;
	rc = getaddrinfo(*host ? host : "localhost", NULL, &hints, &all);
	if (rc != 0)
		return err_set(err, 0, "host %s: %s", host, gai_strerror(rc));
	for (a = all; a && fd < 0 && tries < ADDRESSES_MAX; a = a->ai_next, tries++) {
		struct net_addr addr = {.len = a->ai_addrlen};

		memcpy(&addr.sa, a->ai_addr, a->ai_addrlen);
		if (a->ai_family == AF_INET)
			((struct sockaddr_in *)&addr.sa)->sin_port = htons((uint16_t)port);
		else if (a->ai_family == AF_INET6)
			((struct sockaddr_in6 *)&addr.sa)->sin6_port = htons((uint16_t)port);
		else
			continue;
		fd = net_connect(&addr, NULL, 0, d->timeout_ms, err);
	}
	freeaddrinfo(all);
	return fd < 0 ? -1 : fd;
}

static int connect_to(const struct dovecot *d, struct err *err)
{
	const char *inet = without_prefix(d->path, "inet:");
	const char *local = without_prefix(d->path, "unix:");

	return inet ? connect_inet(d, inet, err)
	            : net_connect_unix(local ? local : d->path, d->timeout_ms, err);
}

static void disconnect(struct dovecot *d)
{
	if (!d->connected)
		return;
	/* responses have been in there */
	if (d->stream.out.data)
		digest_wipe(d->stream.out.data, d->stream.out.cap);
	stream_fini(&d->stream);
	d->connected = false;
	d->busy = false;
}

/* A line within the time that d->stream.deadline_ms leaves. false: there is no server any more. */
static bool read_line(struct dovecot *d)
{
	enum io_result result = stream_read_line(&d->stream, &d->in, DOVECOT_LINE_MAX, false);

	if (result == IO_OK)
		return true;
	if (result == IO_LONG)
		log_warn("SASL: %s: line longer than %d bytes", d->path, DOVECOT_LINE_MAX);
	else if (result == IO_TIMEOUT)
		log_warn("SASL: %s: no answer within %d seconds", d->path, d->timeout_ms / 1000);
	disconnect(d);
	return false;
}

static enum dovecot_kind next_line(struct dovecot *d)
{
	return dovecot_line_parse(slice_of(str_text(&d->in), d->in.len), &d->line);
}

static int nonsense(struct dovecot *d, struct err *err)
{
	struct str text = {.max = 100};

	str_put(&text, str_text(&d->in), d->in.len);
	text_make_printable(text.data, text.len);
	err_set(err, EPROTO, "%s: unexpected answer of the authentication server: \"%s\"", d->path,
	    str_text(&text));
	str_fini(&text);
	disconnect(d);
	return -1;
}

static void keep_mechanism(struct dovecot *d)
{
	struct mechanism *m;

	if (d->line.private || d->mechanism_count == MECHANISMS_MAX)
		return;
	m = &d->mechanisms[d->mechanism_count++];
	memcpy(m->name, d->line.name, sizeof(m->name));
	m->security = d->line.security;
}

static int handshake(struct dovecot *d, struct err *err)
{
	bool version = false;

	/* with a new process behind the socket the mechanisms may be others */
	d->mechanism_count = 0;
	d->stream.deadline_ms = clock_mono_ms() + d->timeout_ms;
	stream_printf(&d->stream, "VERSION\t1\t1\nCPID\t%ld\n", (long)getpid());
	for (int lines = 0; lines < HANDSHAKE_LINES_MAX; lines++) {
		if (!read_line(d))
			return err_set(err, ECONNRESET, "%s: %s", d->path, auth_unavailable);
		switch (next_line(d)) {
		case DOVECOT_VERSION:
			if (d->line.number != 1)
				return nonsense(d, err);
			version = true;
			break;
		case DOVECOT_MECH:
			keep_mechanism(d);
			break;
		case DOVECOT_DONE:
			if (version)
				return 0;
			return nonsense(d, err);
		case DOVECOT_OTHER:
			if (version)
				break; /* SPID, CUID, COOKIE, what is to come */
			return nonsense(d, err);
		default:
			return nonsense(d, err);
		}
	}
	return nonsense(d, err);
}

/* Connected, and the server is still there. */
static int make_ready(struct dovecot *d, struct err *err)
{
	int fd;

	if (d->connected) {
		/* what it says unasked, if anything, has been answers to who gave up */
		for (int i = 0; i < STRAY_LINES_MAX && stream_readable(&d->stream); i++) {
			d->stream.deadline_ms = clock_mono_ms() + d->timeout_ms;
			if (!read_line(d))
				break;
		}
		if (d->connected)
			return 0;
	}
	fd = connect_to(d, err);
	if (fd < 0) {
		char text[sizeof(err->text)];

		memcpy(text, err->text, sizeof(text));
		return err_set(err, err->code,
		    "SASL: Connect to Dovecot auth socket '%s' failed: %s", d->path,
		    err->code ? strerror(err->code) : text);
	}
	fd_set_cloexec(fd, true);
	stream_init(&d->stream, fd, d->timeout_ms);
	d->connected = true;
	return handshake(d, err);
}

static int list_mechanisms(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err)
{
	struct dovecot *d = (struct dovecot *)auth;

	/* a server that is away for a moment has had mechanisms, and will have them */
	if (make_ready(d, err) < 0) {
		if (d->mechanism_count == 0)
			return -1;
		log_warn("%s", err->text);
	}
	for (size_t i = 0; i < d->mechanism_count; i++)
		each(arg, d->mechanisms[i].name, d->mechanisms[i].security);
	return 0;
}

static enum sasl_verdict give_up(struct dovecot *d, struct auth_answer *out)
{
	disconnect(d);
	str_clear(&out->reason);
	str_put_text(&out->reason, auth_unavailable);
	return SASL_LATER;
}

static enum sasl_verdict take_answer(struct dovecot *d, struct auth_answer *out)
{
	if (d->line.user[0]) {
		str_clear(&out->user);
		str_put_text(&out->user, d->line.user);
	}
	str_put_text(&out->reason, d->line.reason);
	if (d->line.kind == DOVECOT_CONT) {
		str_put(&out->challenge, str_text(&d->line.data), d->line.data.len);
		return SASL_CONTINUE;
	}
	d->busy = false;
	return d->line.kind == DOVECOT_OK ? SASL_ACCEPTED
	       : d->line.temporary        ? SASL_LATER
	                                  : SASL_REFUSED;
}

/* The answer to the present exchange; those to former ones are skipped. */
static enum sasl_verdict await_answer(struct dovecot *d, struct auth_answer *out)
{
	struct err err;

	d->stream.deadline_ms = clock_mono_ms() + d->timeout_ms;
	for (int i = 0; i < STRAY_LINES_MAX; i++) {
		if (!read_line(d))
			return give_up(d, out);
		switch (next_line(d)) {
		case DOVECOT_CONT:
		case DOVECOT_OK:
		case DOVECOT_FAIL:
			if (d->line.number == d->id)
				return take_answer(d, out);
			break;
		case DOVECOT_BAD:
		case DOVECOT_DONE:
		case DOVECOT_VERSION:
			nonsense(d, &err);
			log_warn("SASL: %s", err.text);
			return give_up(d, out);
		case DOVECOT_OTHER:
		case DOVECOT_MECH:
			break;
		}
	}
	log_warn("SASL: %s: too many answers that nobody waits for", d->path);
	return give_up(d, out);
}

static bool send_line(struct dovecot *d, struct str *line)
{
	bool sent;

	str_put_char(line, '\n');
	d->stream.deadline_ms = clock_mono_ms() + d->timeout_ms;
	sent = stream_put(&d->stream, line->data, line->len) == IO_OK &&
	       stream_flush(&d->stream) == IO_OK;
	digest_wipe(line->data, line->len);
	str_fini(line);
	return sent;
}

static void put_request(struct dovecot *d, const struct auth_request *rq, struct str *line)
{
	const struct {
		const char *name, *value;
	} addresses[] = {
	    {"lip", rq->local_addr},
	    {"lport", rq->local_port},
	    {"rip", rq->remote_addr},
	    {"rport", rq->remote_port},
	};

	str_reserve(line, rq->initial.len * 4 / 3 + 512);
	str_printf(line, "AUTH\t%u\t%s", d->id, rq->mechanism);
	dovecot_put_field(line, "service", rq->service);
	str_put_text(line, "\tnologin"); /* no master will ask for the login */
	if (rq->secured)
		str_put_text(line, "\tsecured");
	if (rq->no_penalty)
		str_put_text(line, "\tno-penalty");
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		if (addresses[i].value)
			dovecot_put_field(line, addresses[i].name, addresses[i].value);
	if (rq->initial.data) { /* the protocol wants it last */
		str_put_text(line, "\tresp=");
		if (rq->initial.len == 0)
			str_put_char(line, '='); /* nothing at all would be no response */
		base64_encode(line, rq->initial.data, rq->initial.len);
	}
}

static enum sasl_verdict begin(
    struct auth *auth, const struct auth_request *request, struct auth_answer *out)
{
	struct dovecot *d = (struct dovecot *)auth;
	enum sasl_verdict verdict = SASL_LATER;
	struct err err;

	/* a server that was restarted just now may lose the first question */
	for (int tries = 0; tries < 2; tries++) {
		struct str line = {0};
		bool sent;

		if (make_ready(d, &err) < 0) {
			log_warn("%s", err.text);
			return give_up(d, out);
		}
		if (++d->id == 0)
			d->id = 1;
		d->busy = true;
		put_request(d, request, &line);
		sent = send_line(d, &line);
		verdict = sent ? await_answer(d, out) : give_up(d, out);
		if (d->connected || clock_mono_ms() >= d->stream.deadline_ms)
			break;
		if (tries == 0)
			str_clear(&out->reason);
	}
	return verdict;
}

static enum sasl_verdict step(struct auth *auth, struct slice response, struct auth_answer *out)
{
	struct dovecot *d = (struct dovecot *)auth;
	struct str line = {0};

	if (!d->connected)
		return give_up(d, out);
	str_reserve(&line, response.len * 4 / 3 + 64);
	str_printf(&line, "CONT\t%u\t", d->id);
	base64_encode(&line, response.data, response.len);
	return send_line(d, &line) ? await_answer(d, out) : give_up(d, out);
}

static void cancel(struct auth *auth)
{
	struct dovecot *d = (struct dovecot *)auth;
	struct str line = {0};

	if (!d->connected || !d->busy)
		return;
	d->busy = false;
	str_printf(&line, "CANCEL\t%u", d->id);
	if (!send_line(d, &line))
		disconnect(d);
}

static void free_dovecot(struct auth *auth)
{
	struct dovecot *d = (struct dovecot *)auth;

	disconnect(d);
	str_fini(&d->in);
	dovecot_line_fini(&d->line);
	free(d->path);
	free(d);
}

struct auth *auth_dovecot_new(const char *path, int timeout_ms)
{
	static const struct auth_ops ops = {
	    list_mechanisms, begin, step, cancel, free_dovecot, AUTH_WORDS, NULL};
	struct dovecot *d = alloc_zero(1, sizeof(*d));

	d->auth.ops = &ops;
	d->path = alloc_strdup(path);
	d->timeout_ms = timeout_ms;
	return &d->auth;
}
