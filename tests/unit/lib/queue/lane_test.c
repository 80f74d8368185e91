/* SPDX-License-Identifier: ISC */
/* Lanes that are damaged, or none, and what makers of lanes left. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/queue/internal.h"
#include "suite.h"

static struct found found;

static void another_boot(void)
{
	fixture_damage("journal/index", 0, "another boot", 12);
}

static const struct {
	long at; /* in the second record */
	bool reboot;
} harms[] = {
    {0, false}, {0, true},                                 /* magic */
    {60, false}, {60, true},                               /* id */
    {RECORD_HEAD + 700, false}, {RECORD_HEAD + 700, true}, /* content */
};

/* What stands before and behind the damage is not touched by it; it is kept, reported once. */
START_TEST(damaged_middle)
{
	struct queue *q = fixture_queue();
	struct sent sent[3];

	for (unsigned i = 0; i < 3; i++)
		sent[i] = fixture_send(q, 100, 1);
	fixture_damage("journal/00", (long)sent[1].loc.offset + harms[_i].at, "\xff\xff", 2);
	if (harms[_i].reboot) {
		queue_close(&q);
		another_boot();
		q = fixture_queue();
	}
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 2);
	ck_assert_str_eq(found.ids[0], sent[0].id);
	ck_assert_str_eq(found.ids[1], sent[2].id);
	ck_assert_uint_eq(fixture_files("corrupt"), 1);
	/* not again, in this boot or the next; and the lane can be recycled when the others go */
	another_boot();
	queue_close(&q);
	q = fixture_queue();
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 2);
	ck_assert_uint_eq(fixture_files("corrupt"), 1);
	fixture_finish(q, &sent[0]);
	fixture_finish(q, &sent[2]);
	for (int i = 0; i < 60; i++) {
		struct sent s = fixture_send(q, 100, 1);

		ck_assert_int_ge(s.loc.lane, 0);
		fixture_finish(q, &s);
	}
	queue_close(&q);
}
END_TEST

/* The last record torn, as by a power failure: set aside, written over. */
START_TEST(torn_tail)
{
	struct queue *q = fixture_queue();
	struct sent a = fixture_send(q, 100, 1), b = fixture_send(q, 100, 1), c;
	char zeros[2048] = {0};

	fixture_damage("journal/00", (long)b.loc.offset + 2048, zeros, sizeof(zeros));
	another_boot();
	queue_close(&q);
	q = fixture_queue();
	c = fixture_send(q, 100, 1);
	ck_assert_uint_eq(c.loc.offset, b.loc.offset);
	ck_assert_uint_eq(fixture_files("corrupt"), 1);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 2);
	fixture_check(q, &a, 100);
	fixture_check(q, &c, 100);
	queue_close(&q);
}
END_TEST

START_TEST(damaged_head_page)
{
	struct queue *q = fixture_queue();
	struct sent sent[4];
	char noise[4096];

	memset(noise, 0x5a, sizeof(noise));
	for (unsigned i = 0; i < 3; i++)
		sent[i] = fixture_send(q, i + 1, 1);
	fixture_damage("journal/00", 0, noise, sizeof(noise));
	if (_i) {
		queue_close(&q);
		another_boot();
		q = fixture_queue();
	}
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 3);
	sent[3] = fixture_send(q, 4, 1);
	for (unsigned i = 0; i < 4; i++)
		fixture_check(q, &sent[i], i + 1);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 4);
	queue_close(&q);
}
END_TEST

/* A message that contains the image of a record of the highest epoch misleads nobody. */
START_TEST(record_in_content)
{
	struct queue *q = fixture_queue();
	struct sent a = fixture_send(q, 3, 1), b;
	struct envelope env = {
	    .sender = "", .rcpts = &(struct recipient){.address = "a@b"}, .rcpt_count = 1};
	struct record_head fake = {.epoch = UINT32_MAX, .id = "FAKEFAKE", .state = RECORD_LIVE};
	char content[2048] = {0}, noise[64];
	struct queue_writer *w;
	struct err err;

	for (size_t at = LANE_ALIGN - RECORD_HEAD; at < sizeof(content); at += LANE_ALIGN)
		record_head_encode((unsigned char *)content + at, &fake);
	queue_new_id(q, b.id);
	env.id = b.id;
	w = queue_writer_new(q, b.id);
	ck_assert_int_eq(queue_writer_put(w, content, sizeof(content), &err), 0);
	ck_assert_int_eq(queue_writer_commit(&w, &env, false, &b.loc, &err), 0);
	memset(noise, 0x5a, sizeof(noise));
	fixture_damage("journal/00", 0, noise, sizeof(noise));
	another_boot();
	queue_close(&q);
	q = fixture_queue();
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 2);
	ck_assert_str_eq(found.ids[0], a.id);
	ck_assert_str_eq(found.ids[1], b.id);
	ck_assert_uint_ne(a.loc.epoch, 1); /* nobody can guess it */
	queue_close(&q);
}
END_TEST

static void lane_empty(void)
{
	fixture_damage("journal/00", 0, NULL, 0);
}

static void lane_short(void)
{
	fixture_damage("journal/00", 5000, NULL, 0);
}

static void lane_foreign(void)
{
	unlink("journal/00");
	mkdir("journal/00", 0700);
}

static void (*const lane_harm[])(void) = {lane_empty, lane_short, lane_foreign};

/* A lane that is none stops nothing: mail is taken. */
START_TEST(lane_is_none)
{
	struct queue *q = fixture_queue();
	struct sent s;

	fixture_send(q, 3, 1);
	queue_close(&q);
	lane_harm[_i]();
	q = fixture_queue();
	for (unsigned i = 0; i < 20; i++) {
		s = fixture_send(q, 30, 1);
		fixture_check(q, &s, 30);
	}
	queue_close(&q);
}
END_TEST

/* What makers of lanes left that died is cleared away. */
START_TEST(leftover_of_maker)
{
	struct queue *q = fixture_queue();
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "journal/tmp.%d", (int)getpid());
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	fd = open("journal/tmp.1", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	ck_assert_int_eq(fixture_send(q, 1, 1).loc.lane, 0);
	ck_assert_uint_eq(fixture_files("journal"), 2);
	queue_close(&q);
}
END_TEST

TCase *lane_tcase(void)
{
	TCase *tc = tcase_create("lane");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tc, damaged_middle, 0, sizeof(harms) / sizeof(harms[0]));
	tcase_add_test(tc, torn_tail);
	tcase_add_loop_test(tc, damaged_head_page, 0, 2);
	tcase_add_test(tc, record_in_content);
	tcase_add_loop_test(tc, lane_is_none, 0, 3);
	tcase_add_test(tc, leftover_of_maker);
	return tc;
}
