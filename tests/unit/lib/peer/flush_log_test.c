/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/peer/flush.h"
#include "lib/sys/fd.h"

static char folder[32];
static const struct queue_params hashed = {.journal_lane_count = 1,
    .journal_lane_size = 65536,
    .hash_queue_names = "deferred flush",
    .hash_queue_depth = 2};
static const struct queue_params plain = {
    .journal_lane_count = 1, .journal_lane_size = 65536, .hash_queue_names = ""};
static struct queue *queue;

static void open_queue(const struct queue_params *params)
{
	static const char *const dirs[] = {
	    "incoming", "journal", "flush", "deferred", "deferred/3", "deferred/3/F", "active"};
	struct err err;

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY), 0);
	strcpy(folder, "/tmp/flush_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0700), 0);
	ck_assert_int_eq(queue_open(params, false, &queue, &err), 0);
}

static void set_up(void)
{
	open_queue(&plain);
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

static void add(const char *site, const char *id)
{
	struct err err = {0};

	ck_assert_msg(flush_log_add(queue, site, id, &err) == 0, "%s", err.text);
}

struct taken {
	struct str ids;
	size_t max; /* refuses what comes after so many */
	size_t count;
};

static bool note_id(void *arg, const char *id)
{
	struct taken *t = arg;

	if (t->max && t->count == t->max)
		return false;
	t->count++;
	str_printf(&t->ids, "%s ", id);
	return true;
}

static void check_take(const char *path, size_t max, const char *want)
{
	struct taken t = {.max = max};
	struct err err = {0};

	ck_assert_msg(flush_log_take(path, note_id, &t, &err) == 0, "%s", err.text);
	ck_assert_str_eq(str_text(&t.ids), want);
	str_fini(&t.ids);
}

START_TEST(names_are_postfixs)
{
	static const struct {
		const char *site, *path;
	} rows[] = {
	    {"Example.COM", "flush/example_com"},
	    {"x-1.example.com", "flush/x_1_example_com"},
	    {"[192.0.2.1]", "flush/_192_0_2_1_"},
	    {"../../etc", "flush/______etc"},
	};
	char path[512], longest[300] = "";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert(flush_log_path(queue, rows[i].site, path, sizeof(path)));
		ck_assert_str_eq(path, rows[i].path);
	}
	memset(longest, 'a', 256);
	ck_assert(!flush_log_path(queue, longest, path, sizeof(path)));
	longest[255] = '\0';
	ck_assert(flush_log_path(queue, longest, path, sizeof(path)));
	ck_assert(!flush_log_path(queue, "", path, sizeof(path)));
}
END_TEST

START_TEST(hashing_is_by_the_name)
{
	char path[512];

	tear_down();
	open_queue(&hashed);
	ck_assert(flush_log_path(queue, "example.com", path, sizeof(path)));
	ck_assert_str_eq(path, "flush/e/x/example_com");
	ck_assert(flush_log_path(queue, "a", path, sizeof(path)));
	ck_assert_str_eq(path, "flush/a/_/a");
	add("example.com", "3F0ED1A2B3C");
	check_take("flush/e/x/example_com", 0, "3F0ED1A2B3C ");
}
END_TEST

START_TEST(each_id_once_then_empty)
{
	struct stat st;

	add("example.com", "3F0ED1A2B3C");
	add("example.com", "4F0ED1A2B3C");
	add("EXAMPLE.com", "3F0ED1A2B3C");
	check_take("flush/example_com", 0, "3F0ED1A2B3C 4F0ED1A2B3C ");
	ck_assert_int_eq(stat("flush/example_com", &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	check_take("flush/example_com", 0, "");
	check_take("flush/never_seen", 0, "");
	ck_assert_int_ne(access("flush/never_seen", F_OK), 0);
}
END_TEST

START_TEST(what_is_not_taken_stays)
{
	add("example.com", "3F0ED1A2B3C");
	add("example.com", "4F0ED1A2B3C");
	add("example.com", "5F0ED1A2B3C");
	check_take("flush/example_com", 1, "3F0ED1A2B3C ");
	check_take("flush/example_com", 0, "4F0ED1A2B3C 5F0ED1A2B3C ");
}
END_TEST

START_TEST(garbage_is_passed_by)
{
	static const char bytes[] = "\n\n../../etc/passwd\nwith "
	                            "blank\n3F0ED1A2B3C\nzero\0byte\n\377\376\n4F0ED1A2B3C\ntorn";
	int fd = open("flush/example_com", O_WRONLY | O_CREAT, 0600);
	char big[5000];

	ck_assert_int_eq(fd_write_all(fd, bytes, sizeof(bytes) - 1), 0);
	memset(big, 'A', sizeof(big));
	ck_assert_int_eq(fd_write_all(fd, big, sizeof(big)), 0);
	ck_assert_int_eq(fd_write_all(fd, "\n5F0ED1A2B3C\n", 13), 0);
	close(fd);
	check_take("flush/example_com", 0, "3F0ED1A2B3C 4F0ED1A2B3C 5F0ED1A2B3C ");
}
END_TEST

START_TEST(not_a_file_is_an_error)
{
	struct taken t = {0};
	struct err err = {0};

	ck_assert_int_eq(mkdir("flush/dir_test", 0700), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "flush/link_test"), 0);
	ck_assert_int_eq(mkfifo("flush/fifo_test", 0600), 0);
	ck_assert_int_eq(flush_log_add(queue, "dir.test", "3F0ED1A2B3C", &err), -1);
	ck_assert_int_eq(flush_log_add(queue, "link.test", "3F0ED1A2B3C", &err), -1);
	ck_assert_int_eq(flush_log_add(queue, "fifo.test", "3F0ED1A2B3C", &err), -1);
	ck_assert_int_eq(flush_log_take("flush/dir_test", note_id, &t, &err), -1);
	ck_assert_int_eq(flush_log_take("flush/link_test", note_id, &t, &err), -1);
	ck_assert_int_eq(flush_log_take("flush/fifo_test", note_id, &t, &err), -1);
	ck_assert_int_eq(flush_log_add(queue, "example.com", "../x", &err), -1);
	ck_assert_uint_eq(t.count, 0);
}
END_TEST

/* The same mail deferred again and again: the log stays within a few times 64 KiB. */
START_TEST(growth_is_bounded)
{
	struct stat st;
	char id[32];

	ck_assert_int_eq(close(open("deferred/00000AAAAAA", O_CREAT | O_WRONLY, 0600)), 0);
	for (int i = 0; i < 120000; i++) {
		snprintf(id, sizeof(id), "%05X%06X", i % 3, i % 3 == 0 ? 0xAAAAAA : i);
		add("example.com", id); /* two of three are gone already */
	}
	ck_assert_int_eq(stat("flush/example_com", &st), 0);
	ck_assert_int_gt(st.st_size, 0);
	ck_assert_int_lt(st.st_size, 1000000); /* of 1,440,000 that were added */
}
END_TEST

/*
 * Writers while others take without a rest: nothing is lost, and no writer gives up. The takers'
 * ids go into one file, a line each.
 */
static bool write_id(void *arg, const char *id)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%s\n", id);

	return write(*(int *)arg, line, (size_t)len) == len;
}

static pid_t start_writer(int w, int count)
{
	struct err err = {0};
	pid_t pid = fork();
	char id[32];

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	for (int i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%05X%06X", w, i);
		if (flush_log_add(queue, "example.com", id, &err) < 0) {
			fprintf(stderr, "add %s: %s\n", id, err.text);
			_exit(1);
		}
	}
	_exit(0);
}

static pid_t start_taker(int out, int end)
{
	struct err err = {0};
	pid_t pid = fork();
	char byte;

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	do {
		if (flush_log_take("flush/example_com", write_id, &out, &err) < 0) {
			fprintf(stderr, "take: %s\n", err.text);
			_exit(1);
		}
	} while (read(end, &byte, 1) < 0 && errno == EAGAIN);
	_exit(0);
}

static void await_success(const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
}

static size_t count_different(const char *path)
{
	FILE *f = fopen(path, "r");
	struct map *seen = map_new();
	char line[64];
	size_t count;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		map_put(seen, line, seen);
	fclose(f);
	count = map_count(seen);
	map_free(&seen, NULL);
	return count;
}

START_TEST(nothing_is_lost_between_two)
{
	enum { WRITERS = 3, TAKERS = 3, EACH = 400 };
	int out = open("taken", O_WRONLY | O_CREAT | O_APPEND, 0600), end[2];
	pid_t writers[WRITERS], takers[TAKERS];
	struct err err = {0};

	ck_assert_int_ge(out, 0);
	ck_assert_int_eq(pipe2(end, O_NONBLOCK), 0);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = start_writer(i, EACH);
	for (int i = 0; i < TAKERS; i++)
		takers[i] = start_taker(out, end[0]);
	await_success(writers, WRITERS);
	ck_assert_int_eq(write(end[1], "end", TAKERS), TAKERS);
	await_success(takers, TAKERS);
	ck_assert_msg(
	    flush_log_take("flush/example_com", write_id, &out, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(count_different("taken"), WRITERS * EACH);
	close(out);
}
END_TEST

START_TEST(a_dead_takers_rest_is_taken)
{
	struct taken t = {0};
	struct err err;

	add("example.com", "3F0ED1A2B3C");
	ck_assert_int_eq(rename("flush/example_com", "flush/example_com.77"), 0);
	ck_assert(flush_log_is_rest("example_com.77"));
	ck_assert(!flush_log_is_rest("example_com"));
	ck_assert_int_eq(flush_log_take_rest("flush/example_com.77", note_id, &t, &err), 0);
	ck_assert_str_eq(str_text(&t.ids), "3F0ED1A2B3C ");
	ck_assert_int_ne(access("flush/example_com.77", F_OK), 0);
	str_fini(&t.ids);
}
END_TEST

TCase *flush_log_tcase(void)
{
	TCase *tc = tcase_create("flush_log");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, names_are_postfixs);
	tcase_add_test(tc, hashing_is_by_the_name);
	tcase_add_test(tc, each_id_once_then_empty);
	tcase_add_test(tc, what_is_not_taken_stays);
	tcase_add_test(tc, garbage_is_passed_by);
	tcase_add_test(tc, not_a_file_is_an_error);
	tcase_add_test(tc, growth_is_bounded);
	tcase_add_test(tc, nothing_is_lost_between_two);
	tcase_add_test(tc, a_dead_takers_rest_is_taken);
	return tc;
}
