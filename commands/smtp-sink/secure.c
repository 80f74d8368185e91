/* SPDX-License-Identifier: ISC */
#include "commands/smtp-sink/sink.h"

#include <poll.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/log.h"

enum { TICKET_LIFE_S = 3600 };

struct tls_context *secure_context(const char *chain_file)
{
	const struct tls_context_config config = {.server = true,
	    .common = &tls_common_defaults,
	    .chain_files = &chain_file,
	    .chain_file_count = 1,
	    .cipherlist = tls_common_defaults.medium_cipherlist,
	    .session_timeout = TICKET_LIFE_S};
	struct tls_context *context;
	struct err err;

	if (tls_context_new(&config, &context, &err) < 0)
		fatal("%s", err.text);
	return context;
}

static int loop_events(short wait_for)
{
	return wait_for == POLLOUT ? LOOP_WRITE : LOOP_READ;
}

void secure_begin(struct session *s)
{
	const struct tls_server_config config = {.peer = "client"};
	struct err err;

	s->start_tls = false;
	s->shaking = true;
	s->in_at = s->in_len = 0; /* what came in plain text does not count */
	s->stream = (struct stream){.fd = s->fd};
	s->tls = tls_server_begin(s->sink->tls, &s->stream, &config, &err);
	if (!s->tls)
		fatal("%s", err.text);
}

bool secure_go_on(struct session *s, bool *done_out)
{
	short wait_for = POLLIN;
	struct err err;

	*done_out = false;
	switch (tls_session_step(s->tls, &wait_for, &err)) {
	case TLS_STEP_DONE:
		s->shaking = false;
		*done_out = true;
		return true;
	case TLS_STEP_WAIT:
		watch_start(s->sink->loop, &s->watch, s->fd, loop_events(wait_for));
		return true;
	case TLS_STEP_FAILED:
		log_debug("TLS handshake: %s", err.text);
		break;
	}
	session_close(s);
	return false;
}

long secure_read(struct session *s, void *buf, size_t len, int *wait_for)
{
	short events = POLLIN;
	long n = s->tls ? tls_session_read(s->tls, buf, len, &events) : read(s->fd, buf, len);

	*wait_for = loop_events(events);
	return n;
}

long secure_write(struct session *s, const void *buf, size_t len, int *wait_for)
{
	short events = POLLOUT;
	long n = s->tls ? tls_session_write(s->tls, buf, len, &events) : write(s->fd, buf, len);

	*wait_for = loop_events(events);
	return n;
}
