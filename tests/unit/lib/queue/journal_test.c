/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/base/alloc.h"
#include "lib/base/crc32c.h"
#include "lib/queue/internal.h"
#include "lib/sys/fd.h"
#include "suite.h"

static struct found found;

START_TEST(append_and_scan)
{
	struct queue *q = fixture_queue();
	struct sent sent[5];

	for (unsigned i = 0; i < 5; i++) {
		sent[i] = fixture_send(q, 10 * i + 1, 1);
		ck_assert_int_eq(sent[i].loc.lane, 0);
		ck_assert_uint_eq(sent[i].loc.offset % LANE_ALIGN, 0);
	}
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 5);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(found.ids[i], sent[i].id);
		fixture_check(q, &sent[i], 10 * i + 1);
	}
	fixture_finish(q, &sent[2]);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 4);
	ck_assert_int_eq(message_finish(q, &sent[2].loc, sent[2].id, NULL), 1);
	ck_assert_uint_eq(fixture_files("incoming"), 0);
	queue_close(&q);
}
END_TEST

/* A lane begins anew only when all in it are done; the old records are gone then. */
START_TEST(recycled)
{
	struct queue *q = fixture_queue();
	struct sent keep = fixture_send(q, 100, 1), first = fixture_send(q, 100, 1), s;
	struct message m;
	uint32_t epoch = first.loc.epoch;
	struct err err;
	int files = 0;

	fixture_finish(q, &first);
	for (int i = 0; i < 60; i++) {
		s = fixture_send(q, 100, 1);
		files += s.loc.lane < 0;
		ck_assert(s.loc.lane != 0 || s.loc.epoch == epoch);
		fixture_finish(q, &s);
	}
	/* lane 0 was kept from it by one message, lane 1 served all the others */
	ck_assert_int_eq(files, 0);
	ck_assert_int_eq(s.loc.lane, 1);
	fixture_check(q, &keep, 100);
	ck_assert_int_eq(message_open(q, &first.loc, first.id, 0, &m, &err), 1);
	fixture_finish(q, &keep);
	for (int i = 0; i < 60; i++) {
		s = fixture_send(q, 100, 1);
		ck_assert_int_ge(s.loc.lane, 0);
		fixture_finish(q, &s);
	}
	ck_assert_int_eq(message_open(q, &keep.loc, keep.id, 0, &m, &err), 1);
	ck_assert_int_eq(message_finish(q, &keep.loc, keep.id, &err), 1);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 0);
	queue_close(&q);
}
END_TEST

/* A recipient in hand keeps its lane, though its message was removed meanwhile. */
START_TEST(recipient_in_hand)
{
	struct queue *q = fixture_queue(), *agent = fixture_queue();
	struct sent s = fixture_send(q, 100, 1);
	uint8_t status[1];
	struct message m;
	struct err err;

	ck_assert_int_eq(message_open(agent, &s.loc, s.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 0, 1, status, &err), 0);
	fixture_finish(q, &s);
	for (int i = 0; i < 60; i++) {
		struct sent other = fixture_send(q, 100, 1);

		ck_assert(other.loc.lane != 0 || other.loc.epoch == s.loc.epoch);
		fixture_finish(q, &other);
	}
	ck_assert_int_eq(message_mark(&m, 0, RCPT_DONE, &err), 0);
	message_release(&m, 0, 1);
	message_close(&m);
	queue_close(&agent);
	queue_close(&q);
}
END_TEST

/* The process that has a recipient in hand may itself recycle the lane: its mark hits nobody. */
START_TEST(own_lock)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 3, 300), other;
	uint8_t status[300];
	struct message m;
	struct err err;

	fixture_params.journal_lane_count = 1;
	ck_assert_int_eq(message_open(q, &s.loc, s.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 0, 300, status, &err), 0);
	fixture_finish(q, &s);
	do {
		other = fixture_send(q, 100, 1);
		fixture_finish(q, &other);
	} while (other.loc.lane == 0 && other.loc.epoch == s.loc.epoch);
	other = fixture_send(q, 100, 1);
	for (uint32_t i = 0; i < 300; i++)
		ck_assert_int_eq(message_mark(&m, i, RCPT_DONE, &err), 0);
	message_release(&m, 0, 300);
	message_close(&m);
	fixture_check(q, &other, 100);
	queue_close(&q);
}
END_TEST

START_TEST(full_becomes_file)
{
	struct queue *q = fixture_queue();
	struct sent sent[40];
	size_t files = 0;

	for (int i = 0; i < 40; i++) {
		sent[i] = fixture_send(q, 100, 1);
		files += sent[i].loc.lane < 0;
		if (sent[i].loc.lane < 0)
			ck_assert_str_eq(sent[i].loc.dir, "incoming");
	}
	ck_assert_uint_gt(files, 5);
	ck_assert_uint_eq(fixture_files("incoming"), files);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 40 - files);
	ck_assert_uint_eq(fixture_scan_dir(q, "incoming", &found), files);
	for (int i = 0; i < 40; i++)
		fixture_check(q, &sent[i], 100);
	queue_close(&q);
}
END_TEST

START_TEST(large_becomes_file)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 1000, 1);

	ck_assert_int_eq(s.loc.lane, -1);
	fixture_check(q, &s, 1000);
	/* what a large message took is given back */
	ck_assert_uint_le(q->spare.cap, 65536);
	s = fixture_send(q, 1, 20000);
	ck_assert_int_eq(s.loc.lane, -1);
	ck_assert_uint_le(q->env.cap, 65536);
	queue_close(&q);
}
END_TEST

/* Two that append do not write over each other, whoever comes when. */
START_TEST(two_writers)
{
	struct queue *a = fixture_queue(), *b = fixture_queue();
	struct sent sent[30];

	for (int i = 0; i < 30; i++)
		sent[i] = fixture_send(i % 3 ? a : b, (unsigned)i + 1, 1);
	for (int i = 0; i < 30; i++)
		fixture_check(i % 2 ? a : b, &sent[i], (unsigned)i + 1);
	ck_assert_uint_eq(fixture_scan_journal(a, &found), 30);
	queue_close(&a);
	queue_close(&b);
}
END_TEST

/* A lane that another holds is passed by. */
START_TEST(busy_lane)
{
	struct queue *q = fixture_queue();
	struct sent s = fixture_send(q, 1, 1);
	int fd = open("journal/00", O_RDWR | O_CLOEXEC);

	ck_assert_int_eq(s.loc.lane, 0);
	ck_assert_int_eq(fd_lock(fd, false), 0);
	s = fixture_send(q, 1, 1);
	ck_assert_int_eq(s.loc.lane, 1);
	close(fd);
	queue_close(&q);
}
END_TEST

/* ---- the index ----------------------------------------------------------------------------- */

static void index_gone(void)
{
	ck_assert_int_eq(unlink("journal/index"), 0);
}

static void index_zero(void)
{
	static const char zeros[2048];

	fixture_damage("journal/index", 0, zeros, sizeof(zeros));
}

static void index_lies(void)
{
	unsigned char entry[8] = {16, 0, 0, 0};

	/* the right epoch, a tail that lies before records */
	memcpy(entry + 4, &found.locs[0].epoch, 4);
	entry[0] = LANE_HEAD / LANE_ALIGN;
	fixture_damage("journal/index", 64, entry, 8);
}

static void index_noise(void)
{
	char noise[2048];

	memset(noise, 0xa5, sizeof(noise));
	fixture_damage("journal/index", 0, noise, sizeof(noise));
}

static void index_cut(void)
{
	fixture_damage("journal/index", 10, NULL, 0);
}

static void (*const index_harm[])(void) = {
    index_gone, index_zero, index_lies, index_noise, index_cut};

/* Under the feet of one who writes, and one who comes new. */
START_TEST(index_harmed)
{
	struct queue *old = fixture_queue(), *young;
	struct sent sent[12];

	for (unsigned i = 0; i < 4; i++)
		sent[i] = fixture_send(old, i + 1, 1);
	fixture_scan_journal(old, &found);
	index_harm[_i]();
	young = fixture_queue();
	for (unsigned i = 4; i < 12; i++)
		sent[i] = fixture_send(i % 2 ? young : old, i + 1, 1);
	for (unsigned i = 0; i < 12; i++)
		fixture_check(i % 3 ? young : old, &sent[i], i + 1);
	ck_assert_uint_eq(fixture_scan_journal(young, &found), 12);
	ck_assert_uint_eq(fixture_scan_journal(old, &found), 12);
	ck_assert_uint_eq(fixture_files("corrupt"), 0);
	queue_close(&old);
	queue_close(&young);
}
END_TEST

/* ---- damage -------------------------------------------------------------------------------- */

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

TCase *journal_tcase(void)
{
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_test(tc, append_and_scan);
	tcase_add_test(tc, recycled);
	tcase_add_test(tc, recipient_in_hand);
	tcase_add_test(tc, own_lock);
	tcase_add_test(tc, full_becomes_file);
	tcase_add_test(tc, large_becomes_file);
	tcase_add_test(tc, two_writers);
	tcase_add_test(tc, busy_lane);
	tcase_add_loop_test(tc, index_harmed, 0, 5);
	tcase_add_loop_test(tc, damaged_middle, 0, sizeof(harms) / sizeof(harms[0]));
	tcase_add_test(tc, torn_tail);
	tcase_add_loop_test(tc, damaged_head_page, 0, 2);
	tcase_add_test(tc, record_in_content);
	tcase_add_loop_test(tc, lane_is_none, 0, 3);
	tcase_add_test(tc, leftover_of_maker);
	return tc;
}
