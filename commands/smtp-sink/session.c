/* SPDX-License-Identifier: ISC */
/*
 * One connection: input is cut into lines, which are commands or, within DATA, content. All
 * answers to what one read brought leave in one write. A delay stops the reading, so that a client
 * that pipelines waits as well. Sessions are kept and used again: a benchmark opens thousands a
 * second.
 */
#include "commands/smtp-sink/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"

void session_reply(struct session *s, const char *text)
{
	if (log_verbose())
		fprintf(stderr, "<<< %s\n", text);
	str_put_text(&s->out, text);
	str_put_text(&s->out, "\r\n");
}

void session_close(struct session *s)
{
	struct sink *sink = s->sink;

	watch_cancel(sink->loop, &s->watch);
	timer_cancel(sink->loop, &s->timer);
	if (s->closing)
		tls_session_close(&s->tls);
	else
		tls_session_free(&s->tls);
	close(s->fd);
	s->fd = -1;
	list_remove(&s->link);
	list_push_front(&sink->spares, &s->link);
	if (sink->open_sessions-- == sink->max_sessions)
		watch_start(sink->loop, &sink->accept_watch, sink->accept_watch.fd, LOOP_READ);
	sink_counters_changed(sink);
}

/* Content up to the end of data or of the buffer; true when the end was seen. */
static bool take_content(struct session *s)
{
	bool keep = dump_wanted(s->sink);

	while (s->in_at < s->in_len) {
		char *at = s->in + s->in_at, *lf = memchr(at, '\n', s->in_len - s->in_at);
		size_t len = lf ? (size_t)(lf - at) + 1 : s->in_len - s->in_at;
		bool crlf = lf && len >= 2 && lf[-1] == '\r';

		if (s->at_line_start && len == 3 && crlf && at[0] == '.') {
			s->in_at += len;
			return true;
		}
		/* an unfinished line is waited for, unless it fills the whole buffer */
		if (!lf && s->in_at > 0)
			return false;
		if (!lf && s->in_len < SINK_INPUT_MAX)
			return false;
		if (keep) {
			size_t dot = s->at_line_start && at[0] == '.' ? 1 : 0;

			str_put(&s->content, at + dot, len - dot - (crlf ? 2 : 0));
			if (crlf)
				str_put_char(&s->content, '\n');
		}
		s->at_line_start = crlf;
		s->in_at += len;
	}
	return false;
}

static bool take_command(struct session *s)
{
	char *at = s->in + s->in_at, *lf = memchr(at, '\n', s->in_len - s->in_at);

	if (!lf) {
		if (s->in_len - s->in_at == SINK_INPUT_MAX) {
			session_reply(s, "500 5.5.2 Error: line too long");
			s->closing = true;
		}
		return false;
	}
	s->in_at = (size_t)(lf + 1 - s->in);
	*lf = '\0';
	if (lf > at && lf[-1] == '\r')
		lf[-1] = '\0';
	if (log_verbose())
		fprintf(stderr, ">>> %s\n", at);
	command_line(s, at);
	return true;
}

static void take_input(struct session *s)
{
	while (!s->closing && !s->delayed && !s->deaf && !s->start_tls && s->in_at < s->in_len) {
		if (s->in_data) {
			if (!take_content(s))
				break;
			s->in_data = false;
			command_end_of_data(s);
		} else if (!take_command(s)) {
			break;
		}
	}
	if (s->in_at == s->in_len) {
		s->in_at = s->in_len = 0;
	} else if (s->in_at > 0 && !s->delayed) {
		memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
		s->in_len -= s->in_at;
		s->in_at = 0;
	}
}

static void go_on(struct session *s);
static bool take_available(struct session *s);

static void shake_hands(struct session *s)
{
	bool done;

	if (!secure_go_on(s, &done) || !done)
		return;
	if (s->sink->tls_wrapped)
		command_greet(s);
	/* the client's first command may have come with the end of the handshake */
	if (take_available(s))
		go_on(s);
}

/* Writes what can be written and sets what to wait for next. May close the session. */
static void go_on(struct session *s)
{
	struct loop *loop = s->sink->loop;

	while (s->out_at < s->out.len) {
		int wait_for;
		long n =
		    secure_write(s, s->out.data + s->out_at, s->out.len - s->out_at, &wait_for);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_start(loop, &s->watch, s->fd, wait_for);
			return;
		}
		if (n < 0) {
			session_close(s);
			return;
		}
		s->out_at += (size_t)n;
	}
	str_clear(&s->out);
	s->out_at = 0;
	if (s->sink->stop_messages > 0 && s->sink->messages >= s->sink->stop_messages)
		loop_stop(loop);
	if (s->closing) {
		session_close(s);
	} else if (s->start_tls) {
		secure_begin(s);
		shake_hands(s);
	} else if (s->delayed || s->deaf) {
		watch_cancel(loop, &s->watch);
	} else {
		watch_start(loop, &s->watch, s->fd, LOOP_READ);
	}
}

/* Reads and does what has come; of TLS all of it, for what the library holds back wakes nobody.
 * false: the session was closed. */
static bool take_available(struct session *s)
{
	do {
		int wait_for;
		long n = secure_read(s, s->in + s->in_len, SINK_INPUT_MAX - s->in_len, &wait_for);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0) {
			session_close(s);
			return false;
		}
		s->in_len += (size_t)n;
		take_input(s);
	} while (s->tls && !s->start_tls && !s->delayed && !s->deaf && !s->closing &&
	         s->in_len < SINK_INPUT_MAX);
	return true;
}

static void ready(struct watch *watch, int events)
{
	struct session *s = CONTAINER_OF(watch, struct session, watch);

	if (s->shaking) {
		shake_hands(s);
		return;
	}
	if (events & LOOP_READ && !s->delayed && !s->deaf) {
		if (!take_available(s))
			return;
		if (!s->delayed && s->sink->timeout_ms > 0)
			timer_start(s->sink->loop, &s->timer, s->sink->timeout_ms);
	}
	go_on(s);
}

static void timer_expired(struct timer *timer)
{
	struct session *s = CONTAINER_OF(timer, struct session, timer);

	if (!s->delayed) {
		log_debug("client timed out");
		session_close(s);
		return;
	}
	s->delayed = false;
	if (s->sink->timeout_ms > 0)
		timer_start(s->sink->loop, &s->timer, s->sink->timeout_ms);
	command_resume(s);
	take_input(s);
	if (!s->tls || s->delayed || s->deaf || s->closing || take_available(s))
		go_on(s);
}

static struct session *new_session(struct sink *sink)
{
	struct session *s;

	if (!list_empty(&sink->spares)) {
		s = LIST_ITEM(sink->spares.next, struct session, link);
		list_remove(&s->link);
	} else {
		s = alloc_zero(1, sizeof(*s));
		s->in = alloc(SINK_INPUT_MAX);
		s->sink = sink;
		s->watch.ready = ready;
		s->timer.expired = timer_expired;
		list_init(&s->link);
	}
	s->start_tls = s->shaking = false;
	s->delayed = s->closing = s->deaf = s->in_data = s->auth_line = false;
	s->proto = "SMTP";
	s->in_at = s->in_len = s->out_at = 0;
	str_clear(&s->out);
	str_clear(&s->helo);
	command_reset(s);
	return s;
}

void session_accept(struct sink *sink, int fd)
{
	struct session *s = new_session(sink);

	s->fd = fd;
	list_push(&sink->sessions, &s->link);
	sink->total_sessions++;
	if (++sink->open_sessions == sink->max_sessions)
		watch_cancel(sink->loop, &sink->accept_watch);
	if (sink->timeout_ms > 0)
		timer_start(sink->loop, &s->timer, sink->timeout_ms);
	if (sink->tls_wrapped) {
		secure_begin(s);
		shake_hands(s);
		return;
	}
	command_greet(s);
	go_on(s);
}
