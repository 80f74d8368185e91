/* SPDX-License-Identifier: ISC */
/*
 * One client session as a table of stages: each stage has sent something and waits for a reply.
 * A session serves message after message: over one connection with -d, over a new one each
 * otherwise. With -P the commands of a transaction leave in one write and the replies are taken in
 * order; `ahead` says that the next stages' commands are already out.
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
static void begin_message(struct session *s);

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

static void message_done(struct session *s, bool accepted)
{
	s->busy = false;
	if (accepted)
		s->source->accepted++;
	else
		s->source->failed++;
	show_count(s->source);
}

static int64_t pause_ms(const struct source *source)
{
	if (source->random_ms > 0)
		return random() % (source->random_ms + 1);
	return source->wait_ms;
}

/* The connection is gone, or was given up: the next message needs a new one. */
static void next_connection(struct session *s, int64_t pause)
{
	disconnect(s);
	if (!s->busy && s->source->started == s->source->messages)
		finish(s);
	else if (pause > 0)
		timer_start(s->source->loop, &s->timer, pause);
	else
		open_connection(s);
}

/* Without -A ends the program; with it, gives up this message and goes on with the next. */
static void session_failed(struct session *s, const char *why)
{
	if (!s->source->no_abort)
		fatal("%s", why);
	log_debug("%s", why);
	if (s->busy)
		message_done(s, false);
	next_connection(s, RETRY_MS);
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
			next_connection(s, pause_ms(s->source));
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

static void go(struct session *s, enum stage stage)
{
	s->stage = stage;
	s->since_ms = loop_now_ms(s->source->loop);
}

static void quit(struct session *s)
{
	go(s, STAGE_QUIT);
	speak_line(s, "QUIT");
}

static void begin_transaction(struct session *s)
{
	if (!s->busy)
		begin_message(s);
	s->rcpt_sent = s->rcpt_done = s->rcpt_accepted = s->end_done = 0;
	go(s, STAGE_MAIL);
	speak_mail(s);
	s->ahead = s->source->pipeline && s->pipelining;
	if (s->ahead) {
		while (s->rcpt_sent < s->source->recipients)
			speak_rcpt(s);
		speak_line(s, "DATA");
	}
}

/* Takes the next of the messages still to be sent. */
static void begin_message(struct session *s)
{
	struct source *source = s->source;

	s->busy = true;
	snprintf(s->token, sizeof(s->token), "%016llx.%08lx", (unsigned long long)source->run_id,
	    source->started++);
}

static void after_message(struct session *s)
{
	struct source *source = s->source;

	if (!source->keep_session || source->started == source->messages)
		quit(s);
	else if (pause_ms(source) > 0)
		timer_start(source->loop, &s->timer, pause_ms(source));
	else
		begin_transaction(s);
}

static void note_accepted(struct session *s, const char *reply)
{
	struct str line = {0};

	if (s->source->accepted_fd < 0)
		return;
	str_printf(&line, "%s %s\n", s->token, reply);
	if (write(s->source->accepted_fd, line.data, line.len) != (ssize_t)line.len)
		fatal("write to the file of -J: %s", strerror(errno));
	str_fini(&line);
}

/* What each stage does with its (last line of a) reply. `ok`: the code is of the class expected. */
static void got_greeting(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	if (s->source->old) {
		begin_transaction(s);
		return;
	}
	go(s, STAGE_HELO);
	speak_helo(s);
}

static void got_helo(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	if (!s->source->tls || s->tls.session) {
		begin_transaction(s);
		return;
	}
	go(s, STAGE_STARTTLS);
	speak_line(s, "STARTTLS");
}

static void got_starttls(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	secure_begin(&s->tls, s->source, s->fd);
	s->shaking = true;
}

static void got_mail(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	if (!ok && !s->ahead) {
		message_done(s, false);
		go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	go(s, STAGE_RCPT);
	if (!s->ahead)
		speak_rcpt(s);
}

static void got_rcpt(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	s->rcpt_done++;
	s->rcpt_accepted += ok;
	if (s->rcpt_done < s->source->recipients) {
		go(s, STAGE_RCPT);
		if (!s->ahead)
			speak_rcpt(s);
		return;
	}
	if (s->rcpt_accepted == 0 && !s->ahead) {
		message_done(s, false);
		go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	go(s, STAGE_DATA);
	if (!s->ahead)
		speak_line(s, "DATA");
}

static void got_data(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	if (!ok) {
		message_done(s, false);
		go(s, STAGE_RSET);
		speak_line(s, "RSET");
		return;
	}
	go(s, STAGE_END);
	if (s->rcpt_accepted == 0)
		str_put_text(&s->out, ".\r\n"); /* RFC 2920 3.1: nobody takes it */
	else
		speak_content(s);
}

static void got_end(struct session *s, const char *reply, bool ok)
{
	bool last = !s->source->lmtp || ++s->end_done >= s->rcpt_accepted;

	if (ok && s->rcpt_accepted > 0)
		note_accepted(s, reply);
	if (s->source->time_answers && s->rcpt_accepted > 0)
		answers_add(&s->source->answers, clock_mono_us() - s->ended_us);
	if (!last)
		return;
	message_done(s, ok && s->rcpt_accepted > 0);
	after_message(s);
}

static void got_rset(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	after_message(s);
}

static void got_quit(struct session *s, const char *reply, bool ok)
{
	(void)reply;
	(void)ok;
	next_connection(s, pause_ms(s->source));
}

static const struct stage_row {
	const char *name;
	char expect;    /* first digit of the reply code */
	bool must_have; /* a refusal ends the connection even with -A */
	void (*got)(struct session *s, const char *reply, bool ok);
} stages[STAGE_COUNT] = {
    [STAGE_GREETING] = {"connection", '2', true, got_greeting},
    [STAGE_HELO] = {"HELO", '2', true, got_helo},
    [STAGE_STARTTLS] = {"STARTTLS", '2', true, got_starttls},
    [STAGE_MAIL] = {"MAIL FROM", '2', false, got_mail},
    [STAGE_RCPT] = {"RCPT TO", '2', false, got_rcpt},
    [STAGE_DATA] = {"DATA", '3', false, got_data},
    [STAGE_END] = {"end of data", '2', false, got_end},
    [STAGE_RSET] = {"RSET", '2', true, got_rset},
    [STAGE_QUIT] = {"QUIT", '2', false, got_quit},
};

/* One line of the server. Returns false when the session has gone on to another connection. */
static bool take_line(struct session *s, char *line)
{
	const struct stage_row *row = &stages[s->stage];
	char why[1200];
	bool ok;

	if (log_verbose())
		fprintf(stderr, "<<< %s\n", line);
	if (strspn(line, "0123456789") != 3 || (line[3] && line[3] != ' ' && line[3] != '-')) {
		snprintf(why, sizeof(why), "%s: not an SMTP reply: %.500s", row->name, line);
		session_failed(s, why);
		return false;
	}
	if (s->stage == STAGE_HELO && text_eq_nocase(line + 3 + (line[3] != 0), "PIPELINING"))
		s->pipelining = true;
	if (line[3] == '-')
		return true;
	if (s->stage == STAGE_END && s->with_body) {
		snprintf(why, sizeof(why), "reply before the end of data: %.500s", line);
		session_failed(s, why);
		return false;
	}
	ok = line[0] == row->expect;
	if (!ok && s->stage != STAGE_QUIT &&
	    (!s->source->no_abort || row->must_have || strncmp(line, "421", 3) == 0)) {
		snprintf(why, sizeof(why), "%s: unexpected reply: %.500s", row->name, line);
		session_failed(s, why);
		return false;
	}
	if (s->stage == STAGE_GREETING) {
		s->connecting = false;
		s->tries = 0;
	}
	row->got(s, line, ok);
	return s->fd >= 0 && s->stage != STAGE_GREETING && !s->shaking;
}

static bool take_lines(struct session *s)
{
	char *at = s->in, *end = s->in + s->in_len, *lf;

	while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		*lf = '\0';
		if (lf > at && lf[-1] == '\r')
			lf[-1] = '\0';
		if (!take_line(s, at))
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
	snprintf(why, sizeof(why), "%s: %s", s->connecting ? "connect" : stages[s->stage].name,
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
		go(s, STAGE_HELO);
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
			next_connection(s, pause_ms(s->source));
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
		begin_message(s);
	if (source->unix_path) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", source->unix_path);
		sa = (const struct sockaddr *)&sun;
		len = sizeof(sun);
	}
	s->fd = new_socket(s);
	s->connecting = true;
	s->pipelining = false;
	go(s, STAGE_GREETING);
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
	begin_transaction(s);
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
	free(*session);
	*session = NULL;
}
