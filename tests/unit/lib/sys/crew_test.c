/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/sys/crew.h"
#include "suite.h"

enum { PIECES = 5000 };

/* What was done, by all processes. */
struct sums {
	_Atomic unsigned long pieces, numbers;
};

struct job {
	struct sums *sums;
	int pipe[2];
	size_t kill_at, stop_at;
	pid_t parent;
};

static bool work(void *arg, struct crew *crew, size_t i)
{
	struct job *job = arg;

	if (i == job->kill_at && getpid() != job->parent) {
		crew_lock(crew);
		raise(SIGKILL);
	}
	if (i >= job->kill_at && getpid() == job->parent)
		usleep(1000); /* the others get there */
	atomic_fetch_add(&job->sums->pieces, 1);
	atomic_fetch_add(&job->sums->numbers, i);
	return i != job->stop_at;
}

static struct sums *sums_new(void)
{
	void *memory = mmap(
	    NULL, sizeof(struct sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

static void done(void *arg, struct crew *crew)
{
	struct job *job = arg;

	crew_lock(crew);
	ck_assert_int_eq(write(job->pipe[1], "x", 1), 1);
	crew_unlock(crew);
}

/* Each piece once, however many processes there are; each says when it is done. */
START_TEST(each_piece_once)
{
	struct job job = {
	    .sums = sums_new(), .kill_at = SIZE_MAX, .stop_at = SIZE_MAX, .parent = getpid()};
	struct crew crew = {
	    .count = PIECES, .chunk = 7, .workers = _i, .work = work, .done = done, .arg = &job};
	char text[CREW_MAX + 1];
	struct err err = {0};

	ck_assert_int_eq(pipe(job.pipe), 0);
	ck_assert_msg(crew_run(&crew, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(job.sums->pieces, PIECES);
	ck_assert_uint_eq(job.sums->numbers, (unsigned long)PIECES * (PIECES - 1) / 2);
	ck_assert_int_eq(read(job.pipe[0], text, sizeof(text)), _i > 1 ? _i : 1);
	crew_fini(&crew);
	ck_assert_ptr_null(crew.shared);
}
END_TEST

START_TEST(stopped)
{
	struct job job = {
	    .sums = sums_new(), .kill_at = SIZE_MAX, .stop_at = 100, .parent = getpid()};
	struct crew crew = {.count = PIECES, .chunk = 1, .workers = 2, .work = work, .arg = &job};
	struct err err = {0};

	ck_assert_int_eq(crew_run(&crew, &err), 0);
	ck_assert_uint_lt(job.sums->pieces, PIECES);
	crew_fini(&crew);
}
END_TEST

/* One that dies, with the lock even, is an error and no endless wait. */
START_TEST(one_dies)
{
	struct job job = {
	    .sums = sums_new(), .kill_at = 10, .stop_at = SIZE_MAX, .parent = getpid()};
	struct crew crew = {
	    .count = 200, .chunk = 1, .workers = 2, .work = work, .done = done, .arg = &job};
	struct err err = {0};
	int rc;

	ck_assert_int_eq(pipe(job.pipe), 0);
	rc = crew_run(&crew, &err);
	/* the caller may have had the deadly piece itself: then nobody died */
	ck_assert(rc < 0 || job.sums->pieces == 200);
	crew_fini(&crew);
}
END_TEST

START_TEST(nothing_to_do)
{
	struct crew crew = {.count = 0, .chunk = 10, .workers = 4, .work = work};
	struct err err = {0};

	ck_assert_int_eq(crew_run(&crew, &err), 0);
	crew_fini(&crew);
	ck_assert_int_ge(crew_workers(), 1);
}
END_TEST

TCase *crew_tcase(void)
{
	TCase *tcase = tcase_create("crew");

	tcase_add_loop_test(tcase, each_piece_once, 0, CREW_MAX + 1);
	tcase_add_test(tcase, stopped);
	tcase_add_test(tcase, one_dies);
	tcase_add_test(tcase, nothing_to_do);
	return tcase;
}
