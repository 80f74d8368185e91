/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flush/flush.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"

static char folder[32];
static const struct flush_params params = {.purge_time = 1000, .refresh_time = 100};
static const struct queue_params queue_settings = {
    .journal_lane_count = 1, .journal_lane_size = 65536, .hash_queue_names = ""};
static struct flush flush = {.params = &params};

static void set_up(void)
{
	static const char *const dirs[] = {"incoming", "journal", "flush", "deferred", "active"};
	struct err err;

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY), 0);
	strcpy(folder, "/tmp/flush.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0700), 0);
	ck_assert_int_eq(queue_open(&queue_settings, false, &flush.queue, &err), 0);
	flush.domains = match_list_open("fast_flush_domains", "example.com", MATCH_SUBDOMAINS);
}

static void tear_down(void)
{
	pid_t pid;

	match_list_close(&flush.domains);
	queue_close(&flush.queue);
	ck_assert_int_eq(chdir("/"), 0);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static enum flush_status ask(uint16_t type, const char *site, const char *id)
{
	const struct flush_request request = {site, id};

	return flush_handle(&flush, type, &request, true);
}

static const struct {
	uint16_t type;
	const char *site, *id;
	bool trusted;
	enum flush_status want;
} requests[] = {
    {FLUSH_ADD, "example.com", "3F0ED1A2B3C", true, FLUSH_OK},
    {FLUSH_ADD, "sub.Example.com", "3F0ED1A2B3C", true, FLUSH_OK},
    {FLUSH_ADD, "example.org", "3F0ED1A2B3C", true, FLUSH_DENIED},
    {FLUSH_ADD, "example.com", "../3F0ED1A", true, FLUSH_BAD},
    {FLUSH_ADD, "example.com", "", true, FLUSH_BAD},
    {FLUSH_ADD, "example.com", "3F0ED1A2B3C", false, FLUSH_DENIED},
    {FLUSH_SEND_SITE, "example.com", "", false, FLUSH_OK},
    {FLUSH_SEND_SITE, "@example.com", "", false, FLUSH_OK},
    {FLUSH_SEND_SITE, "example.org", "", true, FLUSH_DENIED},
    {FLUSH_SEND_SITE, "", "", true, FLUSH_BAD},
    {FLUSH_SEND_SITE, "@", "", true, FLUSH_BAD},
    {FLUSH_SEND_SITE, "../example.com", "", true, FLUSH_BAD},
    {FLUSH_SEND_FILE, "", "3F0ED1A2B3C", false, FLUSH_OK},
    {FLUSH_SEND_FILE, "", "nothing/at/all", true, FLUSH_BAD},
    {FLUSH_REFRESH, "", "", true, FLUSH_OK},
    {FLUSH_REFRESH, "", "", false, FLUSH_DENIED},
    {FLUSH_PURGE, "", "", true, FLUSH_OK},
    {FLUSH_PURGE, "", "", false, FLUSH_DENIED},
    {FLUSH_ENABLE, "example.com", "", true, FLUSH_OK},
    {FLUSH_ENABLE, "example.org", "", true, FLUSH_DENIED},
    {FLUSH_ENABLE, "example.com", "", false, FLUSH_DENIED},
    {77, "example.com", "", true, FLUSH_BAD},
    {0, "example.com", "", true, FLUSH_BAD},
};

START_TEST(requests_and_answers)
{
	const struct flush_request request = {requests[_i].site, requests[_i].id};

	ck_assert_int_eq(flush_handle(&flush, requests[_i].type, &request, requests[_i].trusted),
	    requests[_i].want);
}
END_TEST

static void make_deferred(const char *id, time_t retry_at)
{
	char path[64];

	snprintf(path, sizeof(path), "deferred/%s", id);
	ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, path,
	                     (struct timespec[]){{.tv_sec = retry_at}, {.tv_sec = retry_at}}, 0),
	    0);
}

static bool is_due(const char *id)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "deferred/%s", id);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mtime <= time(NULL) + 1; /* time() is behind the clock of files, by a tick */
}

/* qmgr is down: what is asked for is due, so that its next scan takes it. */
START_TEST(only_the_sites_mail_is_due)
{
	time_t later = time(NULL) + 5000;

	make_deferred("AAAAAAAAAA", later);
	make_deferred("BBBBBBBBBB", later);
	make_deferred("CCCCCCCCCC", later);
	ask(FLUSH_ADD, "example.com", "AAAAAAAAAA");
	ask(FLUSH_ADD, "a.example.com", "BBBBBBBBBB");
	ask(FLUSH_ADD, "ample.com", "CCCCCCCCCC");
	ck_assert_int_eq(ask(FLUSH_SEND_SITE, "example.com", ""), FLUSH_OK);
	ck_assert(is_due("AAAAAAAAAA"));
	ck_assert(!is_due("BBBBBBBBBB"));
	ck_assert_int_eq(ask(FLUSH_SEND_SITE, "@example.com", ""), FLUSH_OK);
	ck_assert(is_due("BBBBBBBBBB"));
	ck_assert(!is_due("CCCCCCCCCC"));
	ck_assert_int_eq(ask(FLUSH_SEND_FILE, "", "CCCCCCCCCC"), FLUSH_OK);
	ck_assert(is_due("CCCCCCCCCC"));
}
END_TEST

static void make_old(const char *path, int seconds)
{
	struct timespec then = {.tv_sec = time(NULL) - seconds};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){then, then}, 0), 0);
}

START_TEST(refresh_and_purge_by_age)
{
	time_t later = time(NULL) + 5000;

	make_deferred("AAAAAAAAAA", later);
	make_deferred("BBBBBBBBBB", later);
	ask(FLUSH_ADD, "old.example.com", "AAAAAAAAAA");
	ask(FLUSH_ADD, "new.example.com", "BBBBBBBBBB");
	ask(FLUSH_ENABLE, "gone.example.com", "");
	ask(FLUSH_ENABLE, "kept.example.com", "");
	make_old("flush/old_example_com", 101);
	make_old("flush/gone_example_com", 1001);
	make_old("flush/kept_example_com", 999);
	ck_assert_int_eq(ask(FLUSH_REFRESH, "", ""), FLUSH_OK);
	ck_assert(is_due("AAAAAAAAAA"));
	ck_assert(!is_due("BBBBBBBBBB"));
	ck_assert_int_ne(access("flush/gone_example_com", F_OK), 0);
	ck_assert_int_eq(access("flush/kept_example_com", F_OK), 0);
	ck_assert_int_eq(ask(FLUSH_PURGE, "", ""), FLUSH_OK);
	ck_assert(is_due("BBBBBBBBBB"));
}
END_TEST

TCase *handle_tcase(void)
{
	TCase *tc = tcase_create("handle");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, requests_and_answers, 0, ARRAY_LEN(requests));
	tcase_add_test(tc, only_the_sites_mail_is_due);
	tcase_add_test(tc, refresh_and_purge_by_age);
	return tc;
}
