/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/queue/internal.h"
#include "suite.h"

static struct found found;

/* Lines: 5 rests in a lane, 1000 in a file. */
static const unsigned homes[] = {5, 1000};

START_TEST(contention)
{
	struct queue *a = fixture_queue(), *b = fixture_queue();
	struct sent s = fixture_send(a, homes[_i], 10);
	struct message one, two;
	uint8_t status[10];
	struct err err;

	ck_assert_int_eq(message_open(a, &s.loc, s.id, MESSAGE_ENVELOPE, &one, &err), 0);
	ck_assert_int_eq(message_open(b, &s.loc, s.id, MESSAGE_ENVELOPE, &two, &err), 0);
	ck_assert_int_eq(message_take(&one, 2, 3, status, &err), 0);
	ck_assert_mem_eq(status, "TTT", 3);
	ck_assert_int_eq(message_take(&two, 0, 10, status, &err), 1);
	ck_assert_int_eq(message_take(&two, 4, 1, status, &err), 1);
	ck_assert_int_eq(message_take(&two, 0, 2, status, &err), 0);
	ck_assert_int_eq(message_take(&two, 5, 5, status, &err), 0);
	ck_assert_int_eq(message_mark(&one, 3, RCPT_DONE, &err), 0);
	ck_assert_int_eq(message_mark(&one, 4, RCPT_BOUNCED, &err), 0);
	message_release(&one, 2, 3);
	/* locks end with the lock, or with the open message's file */
	ck_assert_int_eq(message_take(&two, 0, 10, status, &err), 0);
	ck_assert_mem_eq(status, "TTTDBTTTTT", 10);
	message_close(&one);
	message_close(&two);
	queue_close(&b);
	queue_close(&a);
}
END_TEST

START_TEST(damaged_status)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, homes[_i], 3);
	struct rcpt_cursor cursor = {0, 0};
	struct arena arena = {0};
	struct recipient r;
	struct message m;
	uint8_t status[3];
	struct err err;

	ck_assert_int_eq(message_open(q, &s.loc, s.id, MESSAGE_ENVELOPE, &m, &err), 0);
	ck_assert_int_eq(pwrite(m.fd, "x\0", 2, (off_t)m.status_at), 2);
	ck_assert_int_eq(message_take(&m, 0, 3, status, &err), 0);
	ck_assert_mem_eq(status, "TTT", 3);
	ck_assert_int_eq(message_next_rcpt(&m, &cursor, &arena, &r, &err), 1);
	ck_assert_int_eq(r.status, RCPT_TODO);
	arena_fini(&arena);
	message_close(&m);
	queue_close(&q);
}
END_TEST

START_TEST(taken_after_the_end)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 5, 1);
	struct message m;
	uint8_t status[1];
	struct err err;

	ck_assert_int_eq(message_open(q, &s.loc, s.id, 0, &m, &err), 0);
	fixture_finish(q, &s);
	ck_assert_int_eq(message_take(&m, 0, 1, status, &err), 1);
	message_close(&m);
	queue_close(&q);
}
END_TEST

static void check_moved(struct queue *q, struct sent *s, const char *dir, unsigned lines)
{
	char path[256];
	struct stat st;

	ck_assert_int_eq(s->loc.lane, -1);
	ck_assert_str_eq(s->loc.dir, dir);
	fixture_check(q, s, lines);
	queue_path(q, dir, s->id, path, sizeof(path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mtime, 1234567);
	ck_assert_uint_eq(fixture_files("incoming"), 0);
}

START_TEST(moved)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, homes[_i], 3), old = s;
	struct message m;
	struct err err;
	uint8_t status[3];

	ck_assert_int_eq(message_open(q, &s.loc, s.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 0, 3, status, &err), 0);
	ck_assert_int_eq(message_mark(&m, 1, RCPT_DONE, &err), 0);
	message_release(&m, 0, 3);
	message_close(&m);
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "deferred", 1234567, &err), 0);
	check_moved(q, &s, "deferred", homes[_i]);
	ck_assert_int_eq(message_open(q, &old.loc, s.id, 0, &m, &err), 1);
	ck_assert_int_eq(message_move(q, &old.loc, s.id, "deferred", 1, &err), 1);
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "active", 1234567, &err), 0);
	check_moved(q, &s, "active", homes[_i]);
	/* what was delivered is not to do in the new home */
	ck_assert_int_eq(message_find(q, s.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 0, 3, status, &err), 0);
	ck_assert_mem_eq(status, "TDT", 3);
	message_close(&m);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 0);
	fixture_finish(q, &s);
	ck_assert_int_eq(message_find(q, s.id, 0, &m, &err), 1);
	queue_close(&q);
}
END_TEST

static bool is_warned(struct queue *q, const struct sent *s)
{
	struct message m;
	struct err err;
	bool warned;

	ck_assert_int_eq(message_open(q, &s->loc, s->id, MESSAGE_ENVELOPE, &m, &err), 0);
	warned = m.warned;
	message_close(&m);
	return warned;
}

/* The mark is in no checksum, goes along from home to home, and is the message's alone. */
START_TEST(warned)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, homes[_i], 1), other = fixture_send(q, homes[_i], 1);
	struct err err;

	ck_assert(!is_warned(q, &s));
	ck_assert_int_eq(message_mark_told(q, &s.loc, s.id, RECORD_WARNED, &err), 0);
	ck_assert(is_warned(q, &s));
	ck_assert(!is_warned(q, &other));
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "deferred", 1, &err), 0);
	ck_assert(is_warned(q, &s));
	fixture_finish(q, &s);
	ck_assert_int_eq(message_mark_told(q, &s.loc, s.id, RECORD_WARNED, &err), 1);
	fixture_finish(q, &other);
	queue_close(&q);
}
END_TEST

START_TEST(not_moved_in_hand)
{
	struct queue *q = fixture_queue(), *agent = fixture_queue();
	struct sent s = fixture_send(q, 5, 3);
	struct message m;
	uint8_t status[1];
	struct err err;

	ck_assert_int_eq(message_open(agent, &s.loc, s.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 2, 1, status, &err), 0);
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "deferred", 1, &err), -1);
	ck_assert_int_eq(err.code, EBUSY);
	fixture_check(q, &s, 5);
	message_close(&m);
	queue_close(&agent);
	queue_close(&q);
}
END_TEST

/* A crash between the name and the mark: the file counts. */
START_TEST(both_homes)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 5, 3), old = s;
	struct err err;

	ck_assert_int_eq(message_settle(q, &s.loc, s.id, &err), 1);
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "deferred", 1, &err), 0);
	fixture_damage("journal/00", (long)old.loc.offset + RECORD_STATE_AT, "L", 1);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 1);
	ck_assert_int_eq(message_settle(q, &old.loc, s.id, &err), 0);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 0);
	fixture_check(q, &s, 5);
	queue_close(&q);
}
END_TEST

/* More recipients than the window holds, read one by one, twice, with their marks. */
START_TEST(many_recipients)
{
	enum { MANY = 20500 };
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 5, MANY);
	struct message m;
	struct err err;

	ck_assert_int_eq(message_open(q, &s.loc, s.id, MESSAGE_ENVELOPE, &m, &err), 0);
	ck_assert_uint_gt(m.env_len, 700000);
	ck_assert_int_eq(message_mark(&m, 20000, RCPT_DONE, &err), 0);
	for (int pass = 0; pass < 2; pass++) {
		struct rcpt_cursor cursor = {0, 0};
		struct arena arena = {0};
		struct recipient r;
		char want[32];
		uint32_t n = 0;

		while (message_next_rcpt(&m, &cursor, &arena, &r, &err) == 1) {
			snprintf(want, sizeof(want), "r%u@example.org", n);
			ck_assert_str_eq(r.address, want);
			ck_assert_int_eq(r.status, n == 20000 ? RCPT_DONE : RCPT_TODO);
			if (++n % 100 == 0)
				arena_reset(&arena);
		}
		ck_assert_uint_eq(n, MANY);
		ck_assert_uint_eq(cursor.index, MANY);
		arena_fini(&arena);
	}
	message_close(&m);
	queue_close(&q);
}
END_TEST

/* ---- files that are none ------------------------------------------------------------------- */

static const struct {
	long at;
	const char *bytes; /* NULL: cut off */
	const char *why;
} harms[] = {
    {0, NULL, "only 0 bytes"},
    {100, NULL, "only 100 bytes"},
    {200, NULL, "cut off"},
    {0, "XXXX", "not a queue file"},
    {20, "\x7f", "damaged head"},
    {48, "ZZZZ", "damaged head"},
    {RECORD_HEAD + 5000, "#", "content is damaged"},
};

START_TEST(damaged_file)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 1000, 1);
	struct message m;
	struct err err;
	char path[64];

	snprintf(path, sizeof(path), "incoming/%s", s.id);
	fixture_damage(
	    path, harms[_i].at, harms[_i].bytes, harms[_i].bytes ? strlen(harms[_i].bytes) : 0);
	ck_assert_int_eq(
	    message_open(q, &s.loc, s.id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err), -1);
	ck_assert_msg(strstr(err.text, harms[_i].why), "%s", err.text);
	ck_assert_int_eq(message_move(q, &s.loc, s.id, "corrupt", 1, &err), 0);
	ck_assert_uint_eq(fixture_files("corrupt"), 1);
	queue_close(&q);
}
END_TEST

START_TEST(damaged_envelope)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 1000, 1);
	struct message m;
	struct err err;
	char path[64];

	ck_assert_int_eq(message_open(q, &s.loc, s.id, MESSAGE_ENVELOPE, &m, &err), 0);
	snprintf(path, sizeof(path), "incoming/%s", s.id);
	fixture_damage(path, (long)(m.env_at + m.env_len) - 3, "#", 1);
	message_close(&m);
	ck_assert_int_eq(message_open(q, &s.loc, s.id, 0, &m, &err), 0);
	message_close(&m);
	ck_assert_int_eq(message_open(q, &s.loc, s.id, MESSAGE_ENVELOPE, &m, &err), -1);
	ck_assert_msg(strstr(err.text, "envelope is damaged"), "%s", err.text);
	queue_close(&q);
}
END_TEST

START_TEST(another_name)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 1000, 1);
	struct message m;
	struct err err;
	char path[64];

	snprintf(path, sizeof(path), "incoming/%s", s.id);
	ck_assert_int_eq(rename(path, "incoming/ABCDEF12345"), 0);
	ck_assert_int_eq(message_open(q, &s.loc, "ABCDEF12345", 0, &m, &err), -1);
	/* and no link leads out of the queue */
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(message_open(q, &s.loc, s.id, 0, &m, &err), -1);
	queue_close(&q);
}
END_TEST

START_TEST(writer_flags)
{
	static const struct {
		const char *text;
		size_t spaces;
		uint32_t want;
	} cases[] = {
	    {"plain\r\n", 0, 0},
	    {"a\r\n.b\r\n", 0, ENV_DOT_LINES},
	    {".", 0, ENV_DOT_LINES},
	    {"a.b\r\n", 0, 0},
	    {"caf\xc3\xa9\r\n", 0, ENV_HIGH_BYTES},
	    {"\r\n", 998, 0},
	    {"\r\n", 999, ENV_LONG_LINES},
	};
	struct queue *q = fixture_queue();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char id[QUEUE_ID_MAX];
		struct envelope env = {.id = id,
		    .sender = "",
		    .rcpts = &(struct recipient){.address = "a@b"},
		    .rcpt_count = 1};
		struct queue_writer *w;
		struct location loc;
		struct message m;
		struct err err;

		queue_new_id(q, id);
		w = queue_writer_new(q, id);
		for (size_t k = 0; k < cases[i].spaces; k++)
			queue_writer_put(w, " ", 1, &err);
		for (const char *p = cases[i].text; *p; p++)
			queue_writer_put(w, p, 1, &err);
		ck_assert_int_eq(queue_writer_commit(&w, &env, i % 2 == 1, &loc, &err), 0);
		ck_assert_int_eq(loc.lane < 0, i % 2 == 1); /* hold is a file */
		ck_assert_int_eq(message_open(q, &loc, id, MESSAGE_ENVELOPE, &m, &err), 0);
		ck_assert_uint_eq(m.env.flags, cases[i].want);
		message_close(&m);
	}
	queue_close(&q);
}
END_TEST

START_TEST(aborted)
{
	struct queue *q = fixture_queue();
	struct queue_writer *w;
	char id[QUEUE_ID_MAX], block[4096];
	struct err err;

	memset(block, 'x', sizeof(block));
	for (int size = 0; size < 60; size += 20) {
		queue_new_id(q, id);
		w = queue_writer_new(q, id);
		for (int i = 0; i < size; i++)
			ck_assert_int_eq(queue_writer_put(w, block, sizeof(block), &err), 0);
		queue_writer_abort(&w);
		ck_assert_ptr_null(w);
		queue_writer_abort(&w);
	}
	ck_assert_uint_eq(fixture_files("incoming"), 0);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 0);
	queue_close(&q);
}
END_TEST

TCase *message_tcase(void)
{
	TCase *tc = tcase_create("message");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tc, contention, 0, 2);
	tcase_add_loop_test(tc, damaged_status, 0, 2);
	tcase_add_test(tc, taken_after_the_end);
	tcase_add_loop_test(tc, moved, 0, 2);
	tcase_add_loop_test(tc, warned, 0, 2);
	tcase_add_test(tc, not_moved_in_hand);
	tcase_add_test(tc, both_homes);
	tcase_add_test(tc, many_recipients);
	tcase_add_loop_test(tc, damaged_file, 0, sizeof(harms) / sizeof(harms[0]));
	tcase_add_test(tc, damaged_envelope);
	tcase_add_test(tc, another_name);
	tcase_add_test(tc, writer_flags);
	tcase_add_test(tc, aborted);
	return tc;
}
