/* SPDX-License-Identifier: ISC */
/* The index is harmed in every way; no record is lost or written over. */
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/queue/internal.h"
#include "suite.h"

static struct found found;

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

TCase *journal_index_tcase(void)
{
	TCase *tc = tcase_create("journal_index");

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tc, index_harmed, 0, 5);
	return tc;
}
