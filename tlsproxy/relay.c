/* SPDX-License-Identifier: ISC */
/*
 * Plain text on one side, TLS on the other. Each direction has one buffer, which is filled when it
 * is empty: who does not read makes the other wait, and nothing grows.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "tlsproxy/tlsproxy.h"

enum { CHUNK = 16384 };

struct buffer {
	size_t at, len;
	char data[CHUNK];
};

struct flow {
	struct relay *r;
	struct buffer up, down; /* to the server, from it */
	bool net_end, plain_end;
	short net_wait, plain_wait;
};

static bool try_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Each of these four: has something moved? */

static bool read_net(struct flow *f)
{
	short wait_for = POLLIN;
	long n;

	if (f->down.len || f->net_end)
		return false;
	n = tls_session_read(f->r->tls, f->down.data, CHUNK, &wait_for);
	if (n < 0 && try_later()) {
		f->net_wait |= wait_for;
		return false;
	}
	if (n <= 0) {
		f->net_end = true;
		return true;
	}
	f->down.at = 0;
	f->down.len = (size_t)n;
	if (f->r->first_data)
		f->r->first_data(f->r);
	return true;
}

static bool write_net(struct flow *f)
{
	short wait_for = POLLOUT;
	long n;

	if (!f->up.len || f->net_end)
		return false;
	n = tls_session_write(f->r->tls, f->up.data + f->up.at, f->up.len, &wait_for);
	if (n < 0 && try_later()) {
		f->net_wait |= wait_for;
		return false;
	}
	if (n <= 0) {
		f->net_end = true;
		return true;
	}
	f->up.at += (size_t)n;
	f->up.len -= (size_t)n;
	return true;
}

static bool read_plain(struct flow *f)
{
	ssize_t n;

	if (f->up.len || f->plain_end)
		return false;
	n = recv(f->r->plain, f->up.data, CHUNK, MSG_DONTWAIT);
	if (n < 0 && try_later()) {
		f->plain_wait |= POLLIN;
		return false;
	}
	if (n <= 0) {
		f->plain_end = true;
		return true;
	}
	f->up.at = 0;
	f->up.len = (size_t)n;
	return true;
}

static bool write_plain(struct flow *f)
{
	ssize_t n;

	if (!f->down.len)
		return false;
	n = send(f->r->plain, f->down.data + f->down.at, f->down.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && try_later()) {
		f->plain_wait |= POLLOUT;
		return false;
	}
	if (n <= 0) { /* who has gone may have said its last word before */
		f->plain_end = true;
		f->down.len = 0;
		return true;
	}
	f->down.at += (size_t)n;
	f->down.len -= (size_t)n;
	return true;
}

static bool is_over(const struct flow *f)
{
	return (f->plain_end && !f->up.len) || (f->net_end && !f->down.len);
}

/* false: nothing came in time. */
static bool wait_for_more(struct flow *f)
{
	struct relay *r = f->r;
	/* an end is of interest only where there is room for what comes before it */
	struct pollfd fds[] = {
	    {.fd = f->net_wait ? r->net : -1, .events = f->net_wait},
	    {.fd = f->plain_wait ? r->plain : -1, .events = f->plain_wait},
	};
	int64_t limit = clock_mono_ms() + r->idle_ms;

	for (;;) {
		int64_t left = limit - clock_mono_ms();
		int n;

		if (r->service) {
			service_alive(r->service);
			left = MIN(left, service_alive_interval_ms(r->service));
		}
		if (left < 0)
			return false;
		n = poll(fds, ARRAY_LEN(fds), (int)MIN(left, 86400000));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

void relay_run(struct relay *r)
{
	struct flow f;

	f.r = r;
	f.up.len = f.down.len = 0;
	f.net_end = f.plain_end = false;
	while (!is_over(&f)) {
		bool moved;

		f.net_wait = f.plain_wait = 0;
		moved = read_net(&f);
		moved |= write_plain(&f);
		moved |= read_plain(&f);
		moved |= write_net(&f);
		if (!moved && !wait_for_more(&f))
			return;
	}
}
