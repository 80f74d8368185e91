/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/session/play.h"

#include <string.h>

#include "tests/fuzz/session/rules.h"

struct play play;

enum { SECTION = 0x1e, EVENT = 0x1d, EVENT_LEN = 3 };
static const char events[] = {EVENT_SESSION, EVENT_CERTIFICATE, EVENT_TABLE, EVENT_DISK,
    EVENT_STRESS, EVENT_OTHERS, EVENT_TIME};

struct slice play_take(struct slice *from, size_t len)
{
	struct slice taken = slice_of(from->data, MIN(from->len, len));

	*from = slice_of(from->data + taken.len, from->len - taken.len);
	return taken;
}

struct slice play_take_until(struct slice *from, const char *end)
{
	const char *at = from->len ? memmem(from->data, from->len, end, strlen(end)) : NULL;

	return play_take(from, at ? (size_t)(at - from->data) + strlen(end) : from->len);
}

static bool is_event(struct slice text)
{
	return text.len >= EVENT_LEN && text.data[0] == EVENT &&
	       memchr(events, text.data[1], sizeof(events));
}

size_t play_until_event(struct slice text)
{
	size_t at = 0;

	while (at < text.len && !is_event(slice_of(text.data + at, text.len - at)))
		at++;
	return at;
}

bool play_event(struct slice *text)
{
	struct slice event;

	if (!is_event(*text))
		return false;
	event = play_take(text, EVENT_LEN);
	play.events = true;
	if (event.data[1] == EVENT_TIME)
		fakes_pass_time((int64_t)1 << (unsigned char)event.data[2] % 21);
	else
		world_event(event.data[1], (unsigned char)event.data[2]);
	if (event.data[1] == EVENT_CERTIFICATE || event.data[1] == EVENT_TABLE)
		fakes_pass_time(2000); /* changes are looked for once a second */
	return true;
}

static struct slice *section_of(char letter)
{
	switch (letter) {
	case 'P':
		return &play.answers[FAKE_POLICY];
	case 'D':
		return &play.answers[FAKE_AUTH];
	case 'N':
		return &play.answers[FAKE_DNS];
	case 'V':
		return &play.answers[FAKE_SERVICE];
	case 'Y':
		return &play.answers[FAKE_CYRUS];
	case 'Q':
		return &play.answers[FAKE_QMGR];
	case 'I':
		return &play.server_name;
	default:
		return NULL;
	}
}

static void split(struct slice text)
{
	struct slice *to = &play.client;
	size_t start = 0;

	for (size_t i = 0; i + 1 < text.len; i++) {
		struct slice *next = text.data[i] == SECTION ? section_of(text.data[i + 1]) : NULL;

		if (!next)
			continue;
		*to = slice_of(text.data + start, i - start);
		to = next;
		start = i + 2;
	}
	*to = slice_of(text.data + start, text.len - start);
}

/* Line by line, all at once, all before the greeting, or so many bytes. */
static void set_pieces(unsigned char how)
{
	play.piece = how < 32 ? 0 : how < 128 ? 65536 : (size_t)how - 127;
	play.early = how >= 64 && how < 128;
}

static unsigned set_special(unsigned char how)
{
	static const char *const peers[][2] = {{"client.example", "192.0.2.1"},
	    {"unknown", "192.0.2.2"}, {"localhost", "127.0.0.1"}, {"v6.example", "2001:db8::1"}};

	play.name = peers[how >> 4 & 3][0];
	play.addr = peers[how >> 4 & 3][1];
	play.silent = (how & 0xc0) == 0x40;
	play.raw_tls = (how & 0xc0) == 0x80;
	play.with_cert = (how & 0xc0) == 0xc0;
	return how & 15;
}

static void run(struct smtpd *server)
{
	struct session *s = &play.session;

	session_init(s, server, -1);
	client_begin();
	rules_begin();
	play.running = true;
	peer_set(server, &s->arena, &s->peer, play.name, play.addr, "1");
	s->orphan = !upstream_begin(s);
	session_run(s);
	rules_end();
	session_fini(s);
	play.running = false;
	log_rules_end();
	client_end();
	fakes_end();
	cyrus_end();
}

/* What stands behind the next EVENT_SESSION; how gets its byte. */
static bool next_session(struct slice *rest, unsigned char *how)
{
	struct slice mark;

	do {
		play_take(rest, play_until_event(*rest));
		mark = play_take(rest, EVENT_LEN);
	} while (mark.len > 0 && mark.data[1] != EVENT_SESSION);
	if (mark.len == 0)
		return false;
	*how = (unsigned char)mark.data[2];
	return true;
}

static void run_all(struct smtpd *server)
{
	enum { SESSIONS_MAX = 6 };
	struct slice rest = play.client;
	unsigned char how;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		play.client = rest;
		play.logins = 0;
		run(server);
		if (!next_session(&rest, &how))
			break;
		set_special(how);
		server = world_next_process();
	}
	kept_check(server);
}

void play_input(const uint8_t *data, size_t size)
{
	static bool open;
	struct smtpd *server;

	if (!open)
		log_rules_open();
	open = true;
	if (size < 2)
		return;
	memset(&play, 0, sizeof(play));
	for (int i = 0; i < FAKE_KINDS; i++)
		play.answers[i] = slice_of("", 0);
	play.client = play.server_name = slice_of("", 0);
	set_pieces(data[0]);
	server = world_enter(set_special(data[1]) % (unsigned)world_profiles());
	split(slice_of((const char *)data + 2, size - 2));
	run_all(server);
	world_leave();
}
