/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/peer/bounce.h"

static char folder[32];
static const struct queue_params params = {.journal_lane_count = 1,
    .journal_lane_size = 65536,
    .hash_queue_names = "defer",
    .hash_queue_depth = 1};
static struct queue *queue;

static const char id[] = "3F0ED1A2B3C";

static void set_up(void)
{
	static const char *const dirs[] = {"incoming", "journal", "bounce", "defer"};
	struct err err;

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY), 0); /* torn files are reported */
	strcpy(folder, "/tmp/bounce_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0700), 0);
	ck_assert_int_eq(queue_open(&params, false, &queue, &err), 0);
}

static void tear_down(void)
{
	pid_t pid;

	queue_close(&queue);
	ck_assert_int_eq(chdir("/"), 0);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static struct bounce_record record(uint32_t index, const char *reason)
{
	return (struct bounce_record){
	    .address = "joe@example.com",
	    .orig = "j@example.com",
	    .orcpt = "rfc822;j@example.com",
	    .index = index,
	    .notify = NOTIFY_FAILURE,
	    .dsn = "5.1.1",
	    .action = "failed",
	    .reason = reason,
	    .diag = "smtp; 550 5.1.1 no",
	    .mta = "mx.example.com",
	};
}

static void append(const char *service, const struct bounce_record *records, size_t count)
{
	struct err err;

	if (bounce_log_append(queue, service, id, records, count, &err) < 0)
		ck_abort_msg("%s", err.text);
}

/* The indexes found, as text. */
static const char *indexes(const char *service)
{
	static char out[128];
	struct bounce_log *log = bounce_log_open(queue, service, id);
	struct arena arena = {0};
	struct bounce_record r;
	size_t used = 0;

	out[0] = '\0';
	while (log && bounce_log_next(log, &arena, &r))
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%u ", r.index);
	bounce_log_close(&log);
	arena_fini(&arena);
	return out;
}

START_TEST(records_come_back)
{
	const struct bounce_record records[] = {record(0, "no such user"), record(7, "")};
	struct bounce_log *log;
	struct arena arena = {0};
	struct bounce_record r;

	append("bounce", records, 2);
	log = bounce_log_open(queue, "bounce", id);
	ck_assert_ptr_nonnull(log);
	ck_assert(bounce_log_next(log, &arena, &r));
	ck_assert_str_eq(r.address, "joe@example.com");
	ck_assert_str_eq(r.orig, "j@example.com");
	ck_assert_str_eq(r.reason, "no such user");
	ck_assert_str_eq(r.mta, "mx.example.com");
	ck_assert_uint_eq(r.notify, NOTIFY_FAILURE);
	ck_assert(bounce_log_next(log, &arena, &r));
	ck_assert_uint_eq(r.index, 7);
	ck_assert(!bounce_log_next(log, &arena, &r));
	bounce_log_close(&log);
	arena_fini(&arena);
}
END_TEST

START_TEST(hashed_folders_are_made)
{
	const struct bounce_record one = record(1, "later");

	append("defer", &one, 1);
	ck_assert_int_eq(access("defer/3/3F0ED1A2B3C", F_OK), 0);
	ck_assert_str_eq(indexes("defer"), "1 ");
	ck_assert_str_eq(indexes("bounce"), "");
}
END_TEST

START_TEST(large_logs)
{
	enum { COUNT = 5000 };
	struct bounce_record *records = calloc(COUNT, sizeof(*records));
	struct bounce_log *log;
	struct arena arena = {0};
	struct bounce_record r;
	uint32_t n = 0;

	for (uint32_t i = 0; i < COUNT; i++)
		records[i] =
		    record(i, "a reason of some length, so that reading has several rounds");
	append("bounce", records, COUNT);
	append("bounce", records, COUNT);
	log = bounce_log_open(queue, "bounce", id);
	for (; bounce_log_next(log, &arena, &r); n++)
		ck_assert_uint_eq(r.index, n % COUNT);
	ck_assert_uint_eq(n, 2 * COUNT);
	bounce_log_close(&log);
	arena_fini(&arena);
	free(records);
}
END_TEST

/* Cut at every length: whole records before the cut are read, and the next batch is read too. */
START_TEST(torn_tail)
{
	const struct bounce_record one = record(1, "x"), two = record(2, "y"),
	                           three = record(3, "z");
	struct stat first, st;
	struct err err;

	append("bounce", &one, 1);
	ck_assert_int_eq(stat("bounce/3F0ED1A2B3C", &first), 0);
	append("bounce", &two, 1);
	ck_assert_int_eq(stat("bounce/3F0ED1A2B3C", &st), 0);
	for (off_t len = st.st_size - 1; len > first.st_size; len--) {
		ck_assert_int_eq(truncate("bounce/3F0ED1A2B3C", len), 0);
		ck_assert_str_eq(
		    indexes("bounce"), len >= st.st_size - FRAME_HEADER ? "1 2 " : "1 ");
		append("bounce", &three, 1);
		ck_assert_str_eq(indexes("bounce"), "1 3 ");
		ck_assert_int_eq(truncate("bounce/3F0ED1A2B3C", first.st_size), 0);
		append("bounce", &two, 1);
	}
	ck_assert_int_eq(truncate("bounce/3F0ED1A2B3C", 5), 0);
	ck_assert_str_eq(indexes("bounce"), "");
	append("bounce", &three, 1);
	ck_assert_str_eq(indexes("bounce"), "3 ");
	ck_assert_int_eq(bounce_log_remove(queue, "bounce", id, &err), 0);
	ck_assert_int_eq(bounce_log_remove(queue, "bounce", id, &err), 0);
}
END_TEST

START_TEST(full_disk)
{
	const struct bounce_record one = record(1, "x"), two = record(2, "y");
	struct rlimit small = {0, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	struct stat st;
	struct err err;

	append("bounce", &one, 1);
	ck_assert_int_eq(stat("bounce/3F0ED1A2B3C", &st), 0);
	small.rlim_cur = (rlim_t)st.st_size + 20;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(bounce_log_append(queue, "bounce", id, &two, 1, &err), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_str_eq(indexes("bounce"), "1 ");
	append("bounce", &two, 1);
	ck_assert_str_eq(indexes("bounce"), "1 2 ");
}
END_TEST

TCase *bounce_log_tcase(void)
{
	TCase *tcase = tcase_create("bounce_log");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, records_come_back);
	tcase_add_test(tcase, hashed_folders_are_made);
	tcase_add_test(tcase, large_logs);
	tcase_add_test(tcase, torn_tail);
	tcase_add_test(tcase, full_disk);
	tcase_set_timeout(tcase, 60);
	return tcase;
}
