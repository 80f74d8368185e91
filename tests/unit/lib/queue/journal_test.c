/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
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

/*
 * Nobody waits for another's sync: where all lanes are in use, one is shared, and there is one more
 * for the next message.
 */
START_TEST(shared_lane)
{
	struct queue *q = fixture_queue();
	struct sent first = fixture_send(q, 1, 1), s;
	int fd = open("journal/00", O_RDWR | O_CLOEXEC);

	queue_tend(q);
	ck_assert_int_eq(access("journal/01", F_OK), -1);
	ck_assert_int_eq(fd_lock_range(fd, LANE_BUSY_AT, 1, false), 0);
	s = fixture_send(q, 1, 1);
	ck_assert_int_eq(s.loc.lane, 0);
	ck_assert_uint_gt(s.loc.offset, first.loc.offset);
	ck_assert_int_eq(access("journal/01", F_OK), -1);
	queue_tend(q);
	queue_tend(q);
	ck_assert_int_eq(access("journal/01", F_OK), 0);
	ck_assert_int_eq(access("journal/02", F_OK), -1);
	s = fixture_send(q, 1, 1);
	ck_assert_int_eq(s.loc.lane, 1);
	close(fd);
	ck_assert_uint_eq(fixture_scan_journal(q, &found), 3);
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
	tcase_add_test(tc, shared_lane);
	return tc;
}
