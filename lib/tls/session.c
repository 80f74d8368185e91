/* SPDX-License-Identifier: ISC */
#include "lib/tls/session.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/tls/internal.h"

enum { LOG_LEVEL_STEPS = 2, LOG_LEVEL_HANDSHAKE = 3, LOG_LEVEL_ALL = 4 };

/* ---- the stream's reads and writes
 * ---------------------------------------------------------------- */

/* errno and *wait_for of a call that did not succeed; 0 when the peer has closed, else -1. */
static long failed(struct tls_session *s, int result, short *wait_for)
{
	int system_errno = errno;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wait_for = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*wait_for = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		s->closed = true;
		return 0;
	case SSL_ERROR_SYSCALL:
		s->broken = true;
		s->truncated = system_errno == 0 || system_errno == ECONNRESET;
		errno = system_errno ? system_errno : ECONNRESET;
		return system_errno ? -1 : 0;
	default:
		s->broken = true;
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			s->truncated = true;
			ERR_clear_error();
			return 0;
		}
		if (s->server)
			tls_library_warn();
		else
			tls_library_errors(s->error, sizeof(s->error));
		errno = EPROTO;
		return -1;
	}
}

long tls_session_read(struct tls_session *s, void *buf, size_t len, short *wait_for)
{
	size_t done;
	int result;

	if (s->broken)
		return 0;
	ERR_clear_error();
	errno = 0;
	result = SSL_read_ex(s->ssl, buf, len, &done);
	if (result != 1)
		return failed(s, result, wait_for);
	if (s->log_level >= LOG_LEVEL_ALL)
		tls_dump_chars("Read", buf, done);
	return (long)done;
}

long tls_session_write(struct tls_session *s, const void *buf, size_t len, short *wait_for)
{
	size_t done;
	int result;
	long n;

	if (s->broken) {
		errno = EPIPE;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_write_ex(s->ssl, buf, len, &done);
	if (result == 1) {
		if (s->log_level >= LOG_LEVEL_ALL)
			tls_dump_chars("Write", buf, done);
		return (long)done;
	}
	n = failed(s, result, wait_for);
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	return n;
}

static long session_read(struct stream *stream, void *buf, size_t len, short *wait_for)
{
	return tls_session_read(stream->ops_state, buf, len, wait_for);
}

static long session_write(struct stream *stream, const void *buf, size_t len, short *wait_for)
{
	return tls_session_write(stream->ops_state, buf, len, wait_for);
}

/* A record may be there that holds nothing for us (a new ticket): that is not input. */
static bool session_readable(struct stream *stream)
{
	struct tls_session *s = stream->ops_state;
	struct pollfd pfd = {.fd = stream->fd, .events = POLLIN};
	size_t done;
	char byte;

	if (s->broken || s->closed)
		return true;
	if (!SSL_has_pending(s->ssl) && poll(&pfd, 1, 0) == 0)
		return false;
	ERR_clear_error();
	errno = 0;
	if (SSL_peek_ex(s->ssl, &byte, 1, &done) == 1)
		return true;
	return SSL_get_error(s->ssl, 0) != SSL_ERROR_WANT_READ;
}

static const struct stream_ops session_ops = {session_read, session_write, session_readable};

/* ---- new and free
 * ------------------------------------------------------------------------------------ */

static void log_step(const SSL *ssl, int where, int result)
{
	const struct tls_session *s = SSL_get_app_data(ssl);
	const char *role = s && s->server ? "SSL_accept" : "SSL_connect";

	if (where & SSL_CB_LOOP)
		log_info("%s:%s", role, SSL_state_string_long(ssl));
	else if ((where & SSL_CB_ALERT) && (result & 0xff) != SSL_AD_CLOSE_NOTIFY)
		log_info("SSL3 alert %s:%s:%s", where & SSL_CB_READ ? "read" : "write",
		    SSL_alert_type_string_long(result), SSL_alert_desc_string_long(result));
	else if ((where & SSL_CB_EXIT) && result == 0)
		log_info("%s:failed in %s", role, SSL_state_string_long(ssl));
}

struct tls_session *tls_session_new(
    struct tls_context *context, struct stream *stream, const char *peer, int log_level)
{
	struct tls_session *s = alloc_zero(1, sizeof(*s));
	int on = 1;

	s->ssl = SSL_new(context->ssl);
	if (!s->ssl || SSL_set_fd(s->ssl, stream->fd) != 1) {
		SSL_free(s->ssl);
		free(s);
		return NULL;
	}
	s->context = context;
	s->stream = stream;
	fd_set_nonblock(stream->fd, true);
	/* a ticket goes out just before the first answer, which must not wait for its ACK */
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* what came in plain text behind STARTTLS was not said under TLS (CVE-2011-0411) */
	stream_take(stream, stream_buffered(stream).len);
	s->peer = arena_strdup(&s->arena, peer);
	s->log_level = log_level;
	s->digest = "sha256";
	s->judge.judged = context->has_anchors;
	s->judge.multi_label = context->common.wildcard_matches_multiple_labels;
	s->judge.legacy_fingerprints = context->common.legacy_public_key_fingerprints;
	SSL_set_app_data(s->ssl, s);
	if (log_level >= LOG_LEVEL_STEPS)
		SSL_set_info_callback(s->ssl, log_step);
	if (log_level >= LOG_LEVEL_HANDSHAKE)
		tls_dump(s->ssl, true);
	return s;
}

void tls_session_free(struct tls_session **session)
{
	struct tls_session *s = *session;

	if (!s)
		return;
	if (s->stream->ops_state == s) {
		s->stream->ops = NULL;
		s->stream->ops_state = NULL;
		s->stream->failed = true; /* plain text must not follow */
	}
	SSL_SESSION_free(s->fresh);
	/* a session that was not said goodbye to may still be resumed */
	SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(s->ssl);
	free(s->judge.first_subject);
	arena_fini(&s->arena);
	free(s);
	*session = NULL;
}

void tls_session_close(struct tls_session **session)
{
	struct tls_session *s = *session;

	if (s && s->established && !s->broken && !s->stream->failed) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	tls_session_free(session);
}

/* ---- the handshake
 * ------------------------------------------------------------------------------------- */

static bool was_cut(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/* A server's words, as Postfix has them: filters look for them. */
static void log_refused(const struct tls_session *s, int system_errno)
{
	if (was_cut()) {
		log_info("SSL_accept error from %s: lost connection", s->peer);
	} else if (ERR_peek_error()) {
		log_info("SSL_accept error from %s: -1", s->peer);
		tls_library_warn();
	} else {
		log_info("SSL_accept error from %s: %s", s->peer,
		    system_errno ? strerror(system_errno) : "lost connection");
	}
}

static enum tls_start start_failed(struct tls_session *s, int result, struct err *err)
{
	int system_errno = errno, kind = SSL_get_error(s->ssl, result);
	char why[256];

	if (s->server)
		log_refused(s, system_errno);
	switch (kind) {
	case SSL_ERROR_SYSCALL:
		err_set(err, system_errno, "%s",
		    system_errno ? strerror(system_errno) : "connection closed");
		return TLS_LOST;
	case SSL_ERROR_SSL:
		if (was_cut()) {
			err_set(err, 0, "connection closed");
			return TLS_LOST;
		}
		tls_library_errors(why, sizeof(why));
		err_set(err, 0, "%s", *why ? why : "handshake failed");
		return TLS_REFUSED;
	default:
		err_set(err, 0, "handshake failed");
		return TLS_REFUSED;
	}
}

static void established(struct tls_session *s)
{
	s->established = true;
	if (s->log_level == LOG_LEVEL_HANDSHAKE)
		tls_dump(s->ssl, false);
	s->stream->ops = &session_ops;
	s->stream->ops_state = s;
	tls_judge_decide(&s->judge, s->ssl);
}

/* TLS_STARTED, or why not; TLS_TIMED_OUT: only for now, *wait_for says for what. */
static enum tls_start step(struct tls_session *s, short *wait_for, struct err *err)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(s->ssl);
	if (result == 1) {
		established(s);
		return TLS_STARTED;
	}
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wait_for = POLLIN;
		return TLS_TIMED_OUT;
	case SSL_ERROR_WANT_WRITE:
		*wait_for = POLLOUT;
		return TLS_TIMED_OUT;
	default:
		return start_failed(s, result, err);
	}
}

enum tls_step tls_session_step(struct tls_session *s, short *wait_for, struct err *err)
{
	switch (step(s, wait_for, err)) {
	case TLS_STARTED:
		return TLS_STEP_DONE;
	case TLS_TIMED_OUT:
		return TLS_STEP_WAIT;
	default:
		return TLS_STEP_FAILED;
	}
}

static enum tls_start shake_hands(struct tls_session *s, struct err *err)
{
	for (;;) {
		short wait_for = POLLIN;
		enum tls_start result = step(s, &wait_for, err);
		enum io_result waited;

		if (result != TLS_TIMED_OUT)
			return result;
		waited = stream_wait(s->stream, wait_for);
		if (waited == IO_OK && s->stream->deadline_ms &&
		    clock_mono_ms() >= s->stream->deadline_ms)
			waited = IO_TIMEOUT;
		if (waited == IO_TIMEOUT) {
			err_set(err, ETIMEDOUT, "%s", strerror(ETIMEDOUT));
			if (s->server)
				log_refused(s, ETIMEDOUT);
			return TLS_TIMED_OUT;
		}
		if (waited != IO_OK) {
			err_sys(err, "wait");
			return TLS_LOST;
		}
	}
}

enum tls_start tls_session_handshake(struct tls_session **session, struct err *err)
{
	enum tls_start result = shake_hands(*session, err);

	if (result != TLS_STARTED)
		tls_session_free(session);
	return result;
}

/* ---- what became of it
 * ----------------------------------------------------------------------------------- */

bool tls_session_trusted(const struct tls_session *s)
{
	return s->judge.trusted;
}

bool tls_session_matched(const struct tls_session *s)
{
	return s->judge.matched;
}

bool tls_session_resumed(const struct tls_session *s)
{
	return SSL_session_reused(s->ssl);
}

const char *tls_session_problem(const struct tls_session *s)
{
	return s->judge.problem;
}

bool tls_session_truncated(const struct tls_session *s)
{
	return s->truncated;
}

const char *tls_session_error(const struct tls_session *s)
{
	return s->error;
}

int tls_session_kernel(const struct tls_session *s)
{
	int directions = 0;

	if (BIO_get_ktls_send(SSL_get_wbio(s->ssl)))
		directions |= TLS_KERNEL_SEND;
	if (BIO_get_ktls_recv(SSL_get_rbio(s->ssl)))
		directions |= TLS_KERNEL_RECEIVE;
	return directions;
}

bool tls_session_is_kernels(const struct tls_session *s)
{
	return tls_session_kernel(s) == (TLS_KERNEL_SEND | TLS_KERNEL_RECEIVE) &&
	       !SSL_has_pending(s->ssl);
}
