/* SPDX-License-Identifier: ISC */
/*
 * The connection of one client session: opened, read from and written to as the loop says, given up
 * and opened anew. What is said on it is in stages.c.
 */
#include "commands/smtp-source/session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"

enum { REPLY_TIMEOUT_MS = 300 * 1000, RETRY_MS = 100 };

static void open_connection(struct session *s);

static void show_count(struct source *source)
{
	long done = source->accepted + source->failed;

	if (!source->count)
		return;
	printf("%ld\r", done);
	if (done == source->messages)
		printf("\n");
	fflush(stdout);
}

static void disconnect(struct session *s)
{
	watch_cancel(s->source->loop, &s->watch);
	secure_end(&s->tls, s->source, s->stage == STAGE_QUIT && !s->shaking);
	s->shaking = false;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->in_len = 0;
	s->connecting = false;
	str_clear(&s->out);
	s->out_at = 0;
	s->with_body = false;
}

static void finish(struct session *s)
{
	disconnect(s);
	timer_cancel(s->source->loop, &s->timer);
	if (--s->source->running == 0)
		loop_stop(s->source->loop);
}

void session_message_done(struct session *s, bool accepted)
{
	s->busy = false;
	if (accepted)
		s->source->accepted++;
	else
		s->source->failed++;
	show_count(s->source);
}

int64_t session_pause_ms(const struct source *source)
{
	if (source->random_ms > 0)
		return random() % (source->random_ms + 1);
	return source->wait_ms;
}

void session_next(struct session *s, int64_t pause)
{
	disconnect(s);
	if (!s->busy && s->source->started == s->source->messages)
		finish(s);
	else if (pause > 0)
		timer_start(s->source->loop, &s->timer, pause);
	else
		open_connection(s);
}

void session_failed(struct session *s, const char *why)
{
	if (!s->source->no_abort)
		fatal("%s", why);
	log_debug("%s", why);
	if (s->busy)
		session_message_done(s, false);
	session_next(s, RETRY_MS);
}

static void want(struct session *s, int events)
{
	watch_start(s->source->loop, &s->watch, s->fd, events);
}

/* Sends what is pending; false when the connection failed (and the session went on elsewhere). */
static bool flush(struct session *s)
{
	const struct str *body = &s->source->body;

	while (s->out_at < s->out.len || s->with_body) {
		struct iovec iov[2] = {
		    {s->out.data ? s->out.data + s->out_at : NULL, s->out.len - s->out_at},
		    {body->data + s->body_at, s->with_body ? body->len - s->body_at : 0}};
		long n = secure_write(&s->tls, s->fd, iov, 2);
		size_t head;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			want(s, LOOP_READ | LOOP_WRITE);
			return true;
		}
		if (n < 0 && s->stage == STAGE_QUIT) {
			session_next(s, session_pause_ms(s->source));
			return false;
		}
		if (n < 0) {
			char why[128];

			snprintf(why, sizeof(why), "write to server: %s", strerror(errno));
			session_failed(s, why);
			return false;
		}
		head = MIN((size_t)n, iov[0].iov_len);
		s->out_at += head;
		s->body_at += (size_t)n - head;
		if (s->with_body && s->body_at == body->len) {
			s->with_body = false;
			s->ended_us = clock_mono_us();
		}
	}
	str_clear(&s->out);
	s->out_at = 0;
	want(s, LOOP_READ);
	return true;
}

static bool take_lines(struct session *s)
{
	char *at = s->in, *end = s->in + s->in_len, *lf;

	while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		*lf = '\0';
		if (lf > at && lf[-1] == '\r')
			lf[-1] = '\0';
		if (!stages_reply(s, at))
			return false;
		at = lf + 1;
	}
	s->in_len = (size_t)(end - at);
	memmove(s->in, at, s->in_len);
	if (s->in_len == sizeof(s->in)) {
		session_failed(s, "the server sent a line without end");
		return false;
	}
	return true;
}

static void refused(struct session *s, int error)
{
	char why[128];

	if (s->connecting && (error == ECONNREFUSED || error == ECONNRESET) &&
	    ++s->tries < s->source->connect_tries) {
		disconnect(s);
		timer_start(s->source->loop, &s->timer, RETRY_MS);
		return;
	}
	snprintf(why, sizeof(why), "%s: %s", s->connecting ? "connect" : stages_name(s->stage),
	    error ? strerror(error) : "the server closed the connection");
	session_failed(s, why);
}

static void ready(struct watch *watch, int events);

/* Under TLS the server greets anew (-k), or is greeted anew. */
static void shake_hands(struct session *s)
{
	int wait_for;
	char why[640];
	struct err err;

	s->in_len = 0;
	switch (secure_step(&s->tls, &wait_for, &err)) {
	case 0:
		want(s, wait_for);
		return;
	case 1:
		s->shaking = false;
		if (s->source->tls_wrapped) {
			ready(&s->watch, LOOP_READ); /* the greeting may be here already */
			return;
		}
		stages_go(s, STAGE_HELO);
		speak_helo(s);
		flush(s);
		return;
	default:
		snprintf(why, sizeof(why), "TLS handshake: %s", err.text);
		session_failed(s, why);
	}
}

/*
 * Reads and takes what has come; of TLS all of it, for what the library holds back wakes nobody.
 * false: the session has gone on elsewhere.
 */
static bool take_input(struct session *s)
{
	do {
		long n = secure_read(&s->tls, s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0 && s->stage == STAGE_QUIT) {
			session_next(s, session_pause_ms(s->source));
			return false;
		}
		if (n <= 0) {
			refused(s, n < 0 ? errno : 0);
			return false;
		}
		s->in_len += (size_t)n;
		if (!take_lines(s)) {
			if (s->shaking)
				shake_hands(s);
			return false;
		}
	} while (s->tls.session);
	return true;
}

static void ready(struct watch *watch, int events)
{
	struct session *s = CONTAINER_OF(watch, struct session, watch);

	if (s->shaking) {
		shake_hands(s);
		return;
	}
	if (events & LOOP_READ && !take_input(s))
		return;
	if (s->out.len > s->out_at || s->with_body)
		flush(s);
	else
		want(s, LOOP_READ);
}

static int new_socket(const struct session *s)
{
	const struct source *source = s->source;
	int family = source->unix_path ? AF_UNIX : source->target.sa.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		fatal("socket: %s", strerror(errno));
	if (source->window > 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &source->window, sizeof(int)) < 0 ||
	        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &source->window, sizeof(int)) < 0))
		log_warn("window size %d: %s", source->window, strerror(errno));
	if (!source->unix_path)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* A message is taken first, so that no session connects for nothing. */
static void open_connection(struct session *s)
{
	const struct source *source = s->source;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const struct sockaddr *sa = (const struct sockaddr *)&source->target.sa;
	socklen_t len = source->target.len;

	if (!s->busy && source->started == source->messages) {
		finish(s);
		return;
	}
	if (!s->busy)
		stages_take_message(s);
	if (source->unix_path) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", source->unix_path);
		sa = (const struct sockaddr *)&sun;
		len = sizeof(sun);
	}
	s->fd = new_socket(s);
	s->connecting = true;
	s->pipelining = false;
	stages_go(s, STAGE_GREETING);
	/* The greeting is what is waited for: a failure, too, makes the descriptor readable. */
	if (connect(s->fd, sa, len) < 0 && errno != EINPROGRESS) {
		refused(s, errno == EAGAIN ? ECONNREFUSED : errno); /* EAGAIN: full unix backlog */
		return;
	}
	if (source->tls_wrapped) {
		secure_begin(&s->tls, s->source, s->fd);
		s->shaking = true;
		want(s, LOOP_WRITE); /* when there is a connection */
		return;
	}
	want(s, LOOP_READ);
}

static void timer_expired(struct timer *timer)
{
	struct session *s = CONTAINER_OF(timer, struct session, timer);

	if (s->fd < 0) {
		open_connection(s);
		return;
	}
	stages_begin(s);
	flush(s);
}

void session_check_time(struct session *s)
{
	if (s->fd >= 0 && !timer_armed(&s->timer) &&
	    loop_now_ms(s->source->loop) - s->since_ms > REPLY_TIMEOUT_MS)
		refused(s, ETIMEDOUT);
}

struct session *session_start(struct source *source)
{
	struct session *s = alloc_zero(1, sizeof(*s));

	s->source = source;
	s->fd = -1;
	s->watch.ready = ready;
	s->timer.expired = timer_expired;
	source->running++;
	/* not at once: connect() may fail and end the program before all sessions exist */
	timer_start(source->loop, &s->timer, 0);
	return s;
}

void session_free(struct session **session)
{
	if (!*session)
		return;
	disconnect(*session);
	timer_cancel((*session)->source->loop, &(*session)->timer);
	str_fini(&(*session)->out);
	if ((*session)->tls.saved) /* or else the library would be loaded for it */
		tls_saved_free(&(*session)->tls.saved);
	free(*session);
	*session = NULL;
}
