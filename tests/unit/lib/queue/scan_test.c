/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/queue/internal.h"
#include "suite.h"

static struct found found;

static void defer(struct queue *q, struct sent *s)
{
	struct err err;

	*s = fixture_send(q, 3, 1);
	ck_assert_int_eq(message_move(q, &s->loc, s->id, "deferred", 1, &err), 0);
}

/* Sub-directories as deep as hash_queue_depth says, named by the microsecond. */
START_TEST(depth)
{
	struct queue *q;
	char path[256], want[256];
	struct sent s;

	fixture_params.hash_queue_depth = _i;
	q = fixture_queue();
	defer(q, &s);
	queue_path(q, "deferred", s.id, path, sizeof(path));
	if (_i == 1)
		snprintf(want, sizeof(want), "deferred/%c/%s", s.id[0], s.id);
	else if (_i == 2)
		snprintf(want, sizeof(want), "deferred/%c/%c/%s", s.id[0], s.id[1], s.id);
	else
		snprintf(
		    want, sizeof(want), "deferred/%c/%c/%c/%s", s.id[0], s.id[1], s.id[2], s.id);
	ck_assert_str_eq(path, want);
	ck_assert_int_eq(access(path, F_OK), 0);
	queue_path(q, "active", s.id, path, sizeof(path));
	snprintf(want, sizeof(want), "active/%s", s.id);
	ck_assert_str_eq(path, want);
	ck_assert_uint_eq(fixture_scan_dir(q, "deferred", &found), 1);
	queue_close(&q);
}
END_TEST

static bool count_one(void *arg, const struct scan_item *item)
{
	(void)item;
	++*(size_t *)arg;
	return true;
}

/* All slices together are the directory, each file in one. */
START_TEST(slices)
{
	struct queue *q = fixture_queue();
	size_t n = 0;
	struct sent s;
	struct err err;

	for (int i = 0; i < 40; i++)
		defer(q, &s);
	for (int slice = 0; slice < QUEUE_SLICES; slice++)
		ck_assert_int_eq(queue_scan_slice(q, "deferred", slice, count_one, &n, &err), 0);
	ck_assert_uint_eq(n, 40);
	ck_assert_uint_eq(fixture_scan_dir(q, "deferred", &found), 40);
	queue_close(&q);
}
END_TEST

static bool stop_at_once(void *arg, const struct scan_item *item)
{
	count_one(arg, item);
	return false;
}

START_TEST(stopped)
{
	struct queue *q = fixture_queue();
	size_t n = 0;
	struct sent s;
	struct err err;

	for (int i = 0; i < 3; i++)
		defer(q, &s), fixture_send(q, 1, 1);
	queue_scan_dir(q, "deferred", 0, stop_at_once, &n, &err);
	ck_assert_uint_eq(n, 1);
	queue_scan_journal(q, 0, stop_at_once, &n, &err);
	ck_assert_uint_eq(n, 2);
	queue_close(&q);
}
END_TEST

/* What is no queue file is left alone and not reported as mail. */
START_TEST(strangers)
{
	static const char *const names[] = {"incoming/tmp.ABCDEF", "incoming/.hidden",
	    "incoming/core", "incoming/ABC DEF123", "incoming/AB-CDEF123"};
	struct queue *q = fixture_queue();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		close(open(names[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(mkdir("incoming/ABCDEF123456", 0700), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "incoming/ABCDEF654321"), 0);
	ck_assert_uint_eq(fixture_scan_dir(q, "incoming", &found), 0);
	queue_close(&q);
}
END_TEST

static const struct {
	const char *names;
	int depth;
} hashings[] = {{"deferred", 2}, {"", 1}, {"deferred", 3}};

/* After a change of hash_queue_names or hash_queue_depth all mail is found. */
START_TEST(hashing_changed)
{
	struct queue *q = fixture_queue();
	struct sent s[10];
	struct message m;
	struct err err;

	for (int i = 0; i < 10; i++)
		defer(q, &s[i]);
	queue_close(&q);
	fixture_params.hash_queue_names = hashings[_i].names;
	fixture_params.hash_queue_depth = hashings[_i].depth;
	q = fixture_queue();
	ck_assert_uint_eq(fixture_scan_dir(q, "deferred", &found), 10);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(
		    message_open(q, &found.locs[i], found.ids[i], MESSAGE_CONTENT, &m, &err), 0);
		message_close(&m);
		fixture_check(q, &s[i], 3);
	}
	ck_assert_uint_eq(fixture_scan_dir(q, "deferred", &found), 10);
	queue_close(&q);
}
END_TEST

START_TEST(found_anywhere)
{
	static const char *const dirs[] = {"active", "deferred", "hold", "incoming"};
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 3, 1);
	struct message m;
	struct err err;

	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(message_find(q, s.id, MESSAGE_ENVELOPE, &m, &err), 0);
		ck_assert_str_eq(m.env.sender, "me@example.com");
		message_close(&m);
		ck_assert_int_eq(message_move(q, &s.loc, s.id, dirs[i], 1, &err), 0);
	}
	ck_assert_int_eq(message_find(q, s.id, MESSAGE_ENVELOPE, &m, &err), 0);
	message_close(&m);
	ck_assert_int_eq(message_find(q, "ABCDEF1234", MESSAGE_ENVELOPE, &m, &err), 1);
	ck_assert_int_eq(message_find(q, "../x", MESSAGE_ENVELOPE, &m, &err), -1);
	queue_close(&q);
}
END_TEST

START_TEST(room)
{
	struct err err;

	ck_assert(queue_has_room(0, &err));
	ck_assert(!queue_has_room(INT64_MAX, &err));
	ck_assert_int_eq(err.code, 28);
}
END_TEST

TCase *scan_tcase(void)
{
	TCase *tc = tcase_create("scan");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tc, depth, 1, 4);
	tcase_add_test(tc, slices);
	tcase_add_test(tc, stopped);
	tcase_add_test(tc, strangers);
	tcase_add_loop_test(tc, hashing_changed, 0, 3);
	tcase_add_test(tc, found_anywhere);
	tcase_add_test(tc, room);
	return tc;
}
