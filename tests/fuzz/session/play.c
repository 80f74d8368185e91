/* SPDX-License-Identifier: ISC */
#include "tests/fuzz/session/play.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

struct play play;

enum { SECTION = 0x1e, LOG_NOWHERE = 999999 };

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

	client_begin();
	rules_begin();
	play.running = true;
	peer_set(server, &s->arena, &s->peer, play.name, play.addr, "1");
	s->orphan = !upstream_begin(s);
	session_run(s);
	play.running = false;
	rules_end();
	session_fini(s);
	client_end();
	fakes_end();
}

void play_input(const uint8_t *data, size_t size)
{
	static bool open;
	struct smtpd *server;

	if (!open && getenv("FUZZ_SHOW"))
		log_set_verbose(1); /* the dialogue and the log, on standard error */
	else if (!open)
		log_open(LOG_TO_FD, LOG_NOWHERE, 0);
	open = true;
	if (size < 2)
		return;
	memset(&play, 0, sizeof(play));
	for (int i = 0; i < FAKE_KINDS; i++)
		play.answers[i] = slice_of("", 0);
	play.client = slice_of("", 0);
	set_pieces(data[0]);
	server = world_enter(set_special(data[1]) % (unsigned)world_profiles());
	split(slice_of((const char *)data + 2, size - 2));
	session_init(&play.session, server, -1);
	run(server);
	world_leave();
}
