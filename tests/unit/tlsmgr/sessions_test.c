/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "tlsmgr/tlsmgr.h"

static char folder[] = "/tmp/postern-test-XXXXXX", name[64], path[64];
static struct session_cache cache;
static struct arena arena;

static void open_cache(uint64_t max_bytes)
{
	cache = (struct session_cache){.name = "test"};
	sessions_open(&cache, name, 100, max_bytes);
}

static void setup(void)
{
	strcpy(folder, "/tmp/postern-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(name, sizeof(name), "btree:%s/s", folder);
	snprintf(path, sizeof(path), "%s/s.lmdb", folder);
	open_cache(1 << 20);
	ck_assert_ptr_nonnull(cache.store);
}

static void teardown(void)
{
	sessions_close(&cache);
	arena_fini(&arena);
	unlink(path);
	rmdir(folder);
}

static void put(const char *key, const char *session, uint32_t lifetime_s, int64_t now)
{
	const struct tlsmgr_request request = {
	    .key = key, .session = session, .lifetime_s = lifetime_s};

	sessions_store(&cache, &request, now);
}

START_TEST(keeps_until_it_is_over)
{
	put("a", "one", 0, 1000);
	put("b", "two", 10, 1000);
	put("c", "three", 100000, 1000);
	ck_assert_str_eq(sessions_find(&cache, "a", 1099, &arena), "one");
	ck_assert_ptr_null(sessions_find(&cache, "a", 1100, &arena));
	ck_assert_ptr_null(sessions_find(&cache, "a", 1000, &arena)); /* gone for good */
	ck_assert_ptr_null(sessions_find(&cache, "b", 1010, &arena));
	ck_assert_ptr_null(sessions_find(&cache, "c", 1100, &arena));
	ck_assert_ptr_null(sessions_find(&cache, "nobody", 1000, &arena));
	ck_assert_ptr_null(sessions_find(&cache, "", 1000, &arena));
}
END_TEST

START_TEST(the_last_one_counts)
{
	put("a", "one", 0, 1000);
	put("a", "two", 0, 1001);
	ck_assert_str_eq(sessions_find(&cache, "a", 1002, &arena), "two");
	sessions_drop(&cache, "a");
	ck_assert_ptr_null(sessions_find(&cache, "a", 1002, &arena));
	sessions_drop(&cache, "a");
}
END_TEST

START_TEST(outlives_a_restart)
{
	put("a", "one", 0, 1000);
	sessions_close(&cache);
	open_cache(1 << 20);
	ck_assert_str_eq(sessions_find(&cache, "a", 1002, &arena), "one");
}
END_TEST

static bool count(struct slice key, struct slice value, void *arg)
{
	(void)key, (void)value;
	++*(int *)arg;
	return true;
}

START_TEST(sweeps_what_is_over)
{
	char key[16];
	int left = 0;
	struct str place = {0};

	for (int i = 0; i < 1200; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(key, "session", i % 2 ? 10 : 0, 1000);
	}
	for (int i = 0; i < 4; i++)
		sessions_sweep(&cache, 1050);
	ck_assert_int_eq(table_store_walk(cache.store, &place, 10000, count, &left, NULL), 0);
	ck_assert_int_eq(left, 600);
	str_fini(&place);
}
END_TEST

START_TEST(a_full_cache_starts_anew)
{
	static char session[8192];
	char key[16];

	memset(session, 'x', sizeof(session) - 1);
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		put(key, session, 0, 1000);
	}
	ck_assert_ptr_nonnull(sessions_find(&cache, "k499", 1001, &arena));
	ck_assert_ptr_null(sessions_find(&cache, "k0", 1001, &arena));
}
END_TEST

START_TEST(a_second_user_is_refused)
{
	struct session_cache other = {.name = "other"};

	sessions_open(&other, name, 100, 1 << 20);
	ck_assert_ptr_null(other.store);
	put("a", "one", 0, 1000);
	ck_assert_ptr_nonnull(sessions_find(&cache, "a", 1001, &arena));
}
END_TEST

START_TEST(damage_is_made_anew)
{
	int fd;

	put("a", "one", 0, 1000);
	sessions_close(&cache);
	fd = open(path, O_RDWR);
	if (_i == 0)
		ck_assert_int_eq(write(fd, "this is no database at all", 26), 26);
	else if (_i == 1)
		ck_assert_int_eq(ftruncate(fd, 4096), 0);
	else
		ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	open_cache(1 << 20);
	ck_assert_ptr_nonnull(cache.store);
	ck_assert_ptr_null(sessions_find(&cache, "a", 1002, &arena));
	put("b", "two", 0, 1000);
	ck_assert_str_eq(sessions_find(&cache, "b", 1002, &arena), "two");
}
END_TEST

START_TEST(nonsense_as_name_means_no_cache)
{
	static const char *const names[] = {"cdb:/x", "/x", "btree:x", "btree:/no/such/folder/x"};
	struct session_cache other = {.name = "other"};

	sessions_open(&other, names[_i], 100, 1 << 20);
	ck_assert_ptr_null(other.store);
	ck_assert_ptr_null(sessions_find(&other, "a", 0, &arena));
	sessions_drop(&other, "a");
	sessions_sweep(&other, 0);
	sessions_close(&other);
}
END_TEST

TCase *sessions_tcase(void)
{
	TCase *tcase = tcase_create("sessions");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, keeps_until_it_is_over);
	tcase_add_test(tcase, the_last_one_counts);
	tcase_add_test(tcase, outlives_a_restart);
	tcase_add_test(tcase, sweeps_what_is_over);
	tcase_add_test(tcase, a_full_cache_starts_anew);
	tcase_add_test(tcase, a_second_user_is_refused);
	tcase_add_loop_test(tcase, damage_is_made_anew, 0, 3);
	tcase_add_loop_test(tcase, nonsense_as_name_means_no_cache, 0, 4);
	return tcase;
}
