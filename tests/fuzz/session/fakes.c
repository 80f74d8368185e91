/* SPDX-License-Identifier: ISC */
/*
 * Whom smtpd asks, and the waits. A service is the other end of a socket pair; it reads and answers
 * when smtpd begins to wait for it. Without bytes of the fuzzer's it answers as a sound one would.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/peer/anvil.h"
#include "lib/peer/flush.h"
#include "lib/peer/tlsmgr.h"
#include "lib/peer/verify.h"
#include "lib/sys/clock.h"
#include "tests/fuzz/session/play.h"
#include "tests/fuzz/session/rules.h"

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_net_connect(const struct net_addr *addr, const struct net_addr *bind_to, int window,
    int timeout_ms, struct err *err);
int __wrap_net_connect_unix(const char *path, int timeout_ms, struct err *err);

struct service {
	const char *path;
	void (*act)(struct service *service, int fd, struct str *in);
};

enum { CALLS_MAX = 64 };
static struct call {
	const struct service *service;
	int ours, theirs;
	struct str in;
} calls[CALLS_MAX];
static size_t call_count;

static void say(int fd, struct slice text)
{
	if (text.len > 0 && send(fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EPIPE && errno != EAGAIN)
		abort();
}

/* ---- the policy server ---------------------------------------------------------------------- */

static void policy_act(struct service *service, int fd, struct str *in)
{
	struct slice *script = &play.answers[FAKE_POLICY], answer;

	(void)service;
	if (in->len < 2 || memcmp(in->data + in->len - 2, "\n\n", 2) != 0)
		return;
	str_clear(in);
	answer = play_take_until(script, "\n\n");
	if (answer.len == 0)
		answer = slice_text("action=DUNNO\n\n");
	say(fd, answer);
	if (answer.len < 2 || memcmp(answer.data + answer.len - 2, "\n\n", 2) != 0)
		shutdown(fd, SHUT_WR);
}

/* ---- Dovecot's authentication server -------------------------------------------------------- */

static void auth_greet(int fd)
{
	struct slice *script = &play.answers[FAKE_AUTH];

	if (script->len > 0 && script->data[0] == '!') {
		struct slice words;

		play_take(script, 1);
		words = play_take_until(script, "\n\n");
		play.logins += words.len > 0 && memmem(words.data, words.len, "OK\t", 3) != NULL;
		say(fd, words);
	} else {
		say(fd, slice_text("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
		                   "MECH\tANONYMOUS\tanonymous\nMECH\tDIGEST-MD5\tmutual-auth\n"
		                   "SPID\t1\nCUID\t2\nCOOKIE\tabc\nDONE\n"));
	}
}

/* '#' is the id of the request. */
static void auth_answer(int fd, const char *request)
{
	const char *id = strchr(request, '\t');
	struct slice line = play_take_until(&play.answers[FAKE_AUTH], "\n");
	struct str out = {0};

	if (line.len == 0)
		line = slice_text(strstr(request, "\tresp=") || strncmp(request, "CONT", 4) == 0
		                      ? "OK\t#\tuser=joe\n"
		                      : "CONT\t#\tVXNlcm5hbWU6\n");
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '#' && id)
			str_put(&out, id + 1, strspn(id + 1, "0123456789"));
		else
			str_put_char(&out, line.data[i]);
	}
	play.logins += memmem(line.data, line.len, "OK\t", 3) != NULL;
	say(fd, slice_of(str_text(&out), out.len));
	if (line.data[line.len - 1] != '\n')
		shutdown(fd, SHUT_WR);
	str_fini(&out);
}

static void auth_act(struct service *service, int fd, struct str *in)
{
	const char *lf;

	(void)service;
	while (in->len > 0 && (lf = memchr(in->data, '\n', in->len)) != NULL) {
		struct str line = {0};

		str_put(&line, in->data, (size_t)(lf - in->data));
		str_consume(in, line.len + 1);
		if (strncmp(str_text(&line), "CPID", 4) == 0)
			auth_greet(fd);
		else if (strncmp(str_text(&line), "AUTH\t", 5) == 0 ||
		         strncmp(str_text(&line), "CONT\t", 5) == 0)
			auth_answer(fd, str_text(&line));
		str_fini(&line);
	}
}

/* ---- services of frames --------------------------------------------------------------------- */

/* The script's next line: a digit (the status) and a text, or after 'x' the frame's own bytes. */
static void frames_act(struct service *service, int fd, struct str *in)
{
	bool verify = strcmp(service->path, "private/verify") == 0;
	struct str out = {0};
	struct frame frame;
	struct err err;

	while (frame_peek(in->data, in->len, &frame, &err) == 1) {
		struct slice line = play_take_until(&play.answers[FAKE_SERVICE], "\n");
		char text[128];
		unsigned status = line.len ? (unsigned)line.data[0] & 7 : 0;
		const struct verify_answer verified = {status, text};
		const struct flush_answer flushed = {status};

		snprintf(text, sizeof(text), "%.*s", (int)MIN(line.len, 100), line.data);
		str_clear(&out);
		if (verify)
			frame_encode(
			    &out, VERIFY_ANSWER, frame.id, &verify_answer_table, &verified);
		else
			frame_encode(&out, FLUSH_ANSWER, frame.id, &flush_answer_table, &flushed);
		if (line.len > 0 && line.data[0] == 'x')
			say(fd, slice_of(line.data + 1, line.len - 1));
		else
			say(fd, slice_of(out.data, out.len));
		str_consume(in, frame.size);
	}
	str_fini(&out);
}

/* What it says of the flow stands in its script: a frame's own bytes, behind each note. */
static void qmgr_act(struct service *service, int fd, struct str *in)
{
	(void)service;
	str_clear(in);
	say(fd, play_take_until(&play.answers[FAKE_QMGR], "\n"));
}

/* What a server kept of its chains: the next process gets it. */
static const char *chains_kept(const struct frame *frame)
{
	static char text[16384];
	struct tlsmgr_chains chains;
	struct arena arena = {0};
	struct err err;

	if (frame->type == TLSMGR_KEEP &&
	    frame_decode(frame, &tlsmgr_chains_table, &chains, &arena, &err) == 0)
		snprintf(text, sizeof(text), "%s", chains.text);
	arena_fini(&arena);
	return text;
}

/* Ticket keys, so that a server gives out tickets; sessions are not found. */
static void tlsmgr_act(struct service *service, int fd, struct str *in)
{
	static const char hex[] =
	    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	const struct tlsmgr_ticket_key key = {
	    1, "00112233445566778899aabbccddeeff", hex, hex, 60, 60};
	const struct tlsmgr_session session = {0, ""};
	struct tlsmgr_chains chains = {"", ""};
	struct str out = {0};
	struct frame frame;
	struct err err;

	(void)service;
	while (frame_peek(in->data, in->len, &frame, &err) == 1) {
		str_clear(&out);
		chains.text = chains_kept(&frame);
		if (frame.type == TLSMGR_TICKET)
			frame_encode(
			    &out, TLSMGR_TICKET_KEY, frame.id, &tlsmgr_ticket_key_table, &key);
		else if (frame.type == TLSMGR_FIND)
			frame_encode(
			    &out, TLSMGR_SESSION, frame.id, &tlsmgr_session_table, &session);
		else if (frame.type == TLSMGR_RECALL)
			frame_encode(&out, TLSMGR_CHAINS, frame.id, &tlsmgr_chains_table, &chains);
		say(fd, slice_of(str_text(&out), out.len));
		str_consume(in, frame.size);
	}
	str_fini(&out);
}

static void anvil_act(struct service *service, int fd, struct str *in)
{
	enum { CAPACITY = 64 };
	const struct anvil_joined joined = {.size = counters_size(CAPACITY), .holder = 0};
	struct str out = {0};
	struct frame frame;
	struct err err;
	void *memory;
	int table;

	(void)service;
	if (frame_peek(in->data, in->len, &frame, &err) != 1)
		return;
	str_clear(in);
	table = memfd_create("anvil", MFD_CLOEXEC);
	if (table < 0 || ftruncate(table, (off_t)joined.size) < 0)
		abort();
	memory = mmap(NULL, joined.size, PROT_READ | PROT_WRITE, MAP_SHARED, table, 0);
	if (memory == MAP_FAILED)
		abort();
	counters_take_holder(counters_format(memory, CAPACITY, 1));
	munmap(memory, joined.size);
	frame_encode(&out, ANVIL_TABLE, 1, &anvil_joined_table, &joined);
	if (frame_send(fd, &out, table, 1000, &err) < 0)
		abort();
	close(table);
	str_fini(&out);
}

/* ---- connections ---------------------------------------------------------------------------- */

static const struct service services[] = {
    {"private/policy", policy_act},
    {"private/auth", auth_act},
    {"private/verify", frames_act},
    {"public/flush", frames_act},
    {"private/anvil", anvil_act},
    {"private/tlsmgr", tlsmgr_act},
    {"public/qmgr", qmgr_act},
};

static int connect_to(const char *path, struct err *err)
{
	int pair[2];

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (strcmp(path, services[i].path) != 0)
			continue;
		if (call_count == CALLS_MAX)
			return err_set(err, EMFILE, "too many connections");
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
			abort();
		calls[call_count++] = (struct call){&services[i], pair[0], pair[1], {0}};
		return pair[0];
	}
	return err_set(err, ENOENT, "%s", strerror(ENOENT));
}

int __wrap_net_connect_unix(const char *path, int timeout_ms, struct err *err)
{
	(void)timeout_ms;
	return connect_to(path, err);
}

int __wrap_net_connect(const struct net_addr *addr, const struct net_addr *bind_to, int window,
    int timeout_ms, struct err *err)
{
	(void)bind_to;
	(void)window;
	(void)timeout_ms;
	return connect_to(net_addr_port(addr) == 24 ? "private/auth" : "private/policy", err);
}

void fakes_end(void)
{
	for (size_t i = 0; i < call_count; i++) {
		close(calls[i].theirs);
		str_fini(&calls[i].in);
	}
	call_count = 0;
}

/* ---- waits ---------------------------------------------------------------------------------- */

static void act(struct call *call)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(call->theirs, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		str_put(&call->in, bytes, (size_t)n);
	if (call->in.len > 0)
		call->service->act(
		    (struct service *)(uintptr_t)call->service, call->theirs, &call->in);
}

static void let_others_act(const struct pollfd *p)
{
	if (play.running && p->fd == play.session.stream.fd) {
		client_act(p->events);
		return;
	}
	/* of two calls with the same number the first one's end has been closed */
	for (size_t i = call_count; i-- > 0;) {
		if (calls[i].ours == p->fd) {
			act(&calls[i]);
			return;
		}
	}
}

static int64_t passed;

void fakes_pass_time(int64_t ms)
{
	passed += ms;
	clock_offset_for_tests(passed);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int n;

	if (timeout != 0 && (count == 0 || __real_poll(fds, count, 0) == 0))
		log_rules_wait();
	if (timeout != 0)
		for (nfds_t i = 0; i < count; i++)
			let_others_act(&fds[i]);
	n = count ? __real_poll(fds, count, 0) : 0;
	if (n == 0 && timeout != 0) {
		must(timeout > 0); /* else it were for ever */
		fakes_pass_time(timeout);
	}
	return n;
}
