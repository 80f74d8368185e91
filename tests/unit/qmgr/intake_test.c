/* SPDX-License-Identifier: ISC */
/* public/qmgr: notes in pieces and by the dozen, triggers, and what is neither. */
#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clock.h"

static int client;

static void begin(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	client = fds[0];
	intake_accept(&fx.q, fds[1]);
}

static void say(const void *data, size_t len)
{
	ck_assert(send(client, data, len, MSG_NOSIGNAL) == (ssize_t)len);
	fixture_turn();
}

static bool hung_up(void)
{
	char byte;

	return recv(client, &byte, 1, MSG_DONTWAIT) == 0;
}

static void put_note(struct str *out, const char *id, const char *dir)
{
	static struct note_rcpt rcpt = {.address = "user@example.test",
	    .orig = "",
	    .orcpt = "",
	    .transport = "smtp",
	    .nexthop = "a.test"};
	struct note note = {.id = id,
	    .lane = dir ? UINT32_MAX : 0,
	    .epoch = 1,
	    .offset = 4096,
	    .dir = dir,
	    .generation = 7,
	    .arrival_us = (uint64_t)clock_wall_us(),
	    .rcpt_count = 1,
	    .rcpts = {&rcpt, 1}};

	frame_encode(out, NOTE_MESSAGE, 0, &note_table, &note);
}

START_TEST(in_pieces_and_together)
{
	struct str out = {0};

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	begin();
	put_note(&out, "3F0ED1A2B3C", NULL);
	for (size_t i = 0; i < out.len; i++)
		ck_assert(send(client, out.data + i, 1, MSG_NOSIGNAL) == 1);
	fixture_turn();
	ck_assert_uint_eq(fixture_active(), 1);
	say(out.data, out.len); /* known already */
	ck_assert_uint_eq(fixture_active(), 1);
	str_clear(&out);
	put_note(&out, "3F0ED1A2B31", NULL);
	put_note(&out, "3F0ED1A2B32", NULL);
	put_note(&out, "3F0ED1A2B33", NULL);
	say(out.data, out.len - 7);
	ck_assert_uint_eq(fixture_active(), 3);
	say(out.data + out.len - 7, 7);
	ck_assert_uint_eq(fixture_active(), 4);
	ck_assert(!hung_up());
	ck_assert_uint_eq(jobs_waiting("a.test"), 4);
	close(client);
	str_fini(&out);
	fixture_close();
}
END_TEST

static const struct {
	const char *id, *dir;
} impossible[] = {{"../../etc/x", NULL}, {"", NULL}, {"3F0ED1A2B3C", "../etc"},
    {"3F0ED1A2B3C", "hold"}, {"3F0ED1A2B3C", "corrupt"},
    {"3F0ED1A2B3C3F0ED1A2B3C3F0ED1A2B3C3F0ED1A2B3C", NULL}};

START_TEST(impossible_notes)
{
	struct str out = {0};

	fixture_open("");
	fixture_start();
	begin();
	put_note(&out, impossible[_i].id, impossible[_i].dir);
	say(out.data, out.len);
	ck_assert_uint_eq(fixture_active(), 0);
	close(client);
	str_fini(&out);
	fixture_close();
}
END_TEST

static const char *const garbage[] = {
    "GET / HTTP/1.0\r\n\r\n", "\377\377\377\377\1\0\0\0\0\0\0\0", "\010\0\0\0\143\0\0\0\0\0\0\0"};
static const size_t garbage_len[] = {18, 12, 12};

START_TEST(garbage_is_refused)
{
	fixture_open("");
	fixture_start();
	begin();
	say(garbage[_i], garbage_len[_i]);
	ck_assert(hung_up());
	ck_assert(fixture_logged("warning: public/qmgr: malformed note"));
	close(client);
	fixture_close();
}
END_TEST

START_TEST(triggers)
{
	char id[QUEUE_ID_MAX];
	int64_t later = clock_wall_us() / 1000000 + 2000;

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	fixture_deferred(id, "sender@example.test", later, "smtp", "a.test");
	fixture_message(id, "sender@example.test", 1, "smtp", "b.test");
	begin();
	say("D", 1);
	close(client);
	fixture_turn();
	ck_assert_uint_eq(fx.count, 0);
	begin();
	say("W", 1);
	close(client);
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("b.test"), 1);
	begin();
	say("?F", 2);
	close(client);
	fixture_turn();
	ck_assert_uint_eq(jobs_waiting("a.test"), 1);
	fixture_close();
}
END_TEST

/* The last word that came, or 0. */
static int heard(void)
{
	char bytes[10 * FRAME_HEADER];
	ssize_t n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct frame frame;
	struct err err;

	if (n < FRAME_HEADER)
		return 0;
	ck_assert_int_eq(frame_peek(bytes + n - FRAME_HEADER, FRAME_HEADER, &frame, &err), 1);
	return frame.type;
}

START_TEST(tells_when_there_is_no_room)
{
	char id[QUEUE_ID_MAX];
	int early;

	fixture_open("qmgr_message_active_limit = 10\n");
	fixture_serve("smtp");
	fixture_start();
	begin();
	for (int i = 0; i < 10; i++)
		fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_int_eq(heard(), 0);
	fixture_note(id, 1, "smtp", "a.test");
	fixture_note(id, 1, "smtp", "a.test");
	fixture_turn();
	ck_assert_int_eq(heard(), NOTE_BEHIND);
	early = client;
	begin(); /* one who comes now hears it at once */
	ck_assert_int_eq(heard(), NOTE_BEHIND);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_int_eq(heard(), NOTE_ROOM);
	close(client);
	client = early;
	ck_assert_int_eq(heard(), NOTE_ROOM);
	close(client);
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	ck_assert_uint_eq(fx.count, 12);
	fixture_close();
}
END_TEST

TCase *intake_tcase(void)
{
	TCase *tc = tcase_create("intake");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, in_pieces_and_together);
	tcase_add_loop_test(tc, impossible_notes, 0, (int)ARRAY_LEN(impossible));
	tcase_add_loop_test(tc, garbage_is_refused, 0, (int)ARRAY_LEN(garbage));
	tcase_add_test(tc, triggers);
	tcase_add_test(tc, tells_when_there_is_no_room);
	return tc;
}
