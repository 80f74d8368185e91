/* SPDX-License-Identifier: ISC */
#include "lib/service/scoreboard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lib/service/suite.h"

static struct scoreboard *board;
static int fd;

static void setup(void)
{
	struct err err;

	board = scoreboard_new(getpid(), &fd, &err);
	ck_assert_ptr_nonnull(board);
}

static void teardown(void)
{
	scoreboard_unmap(&board);
	ck_assert_ptr_null(board);
	close(fd);
}

static unsigned count_idle(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SCORE_CHILDREN; i++)
		count += scoreboard_is_idle(board, i);
	return count;
}

START_TEST(bits_are_the_state)
{
	static const unsigned children[] = {0, 1, 63, 64, 127, SCORE_CHILDREN - 1};

	atomic_store(&board->words, SCORE_WORDS);
	ck_assert(scoreboard_nobody_idle(board));
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		scoreboard_set_idle(board, children[i]);
		ck_assert(scoreboard_is_idle(board, children[i]));
		ck_assert_uint_eq(count_idle(), i + 1);
		scoreboard_set_idle(board, children[i]); /* twice is once */
		ck_assert_uint_eq(count_idle(), i + 1);
	}
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		scoreboard_set_busy(board, children[i]);
		ck_assert(!scoreboard_is_idle(board, children[i]));
	}
	ck_assert(scoreboard_nobody_idle(board));
}
END_TEST

START_TEST(only_the_last_wakes_and_only_when_wanted)
{
	scoreboard_set_idle(board, 3);
	scoreboard_set_idle(board, 5);
	atomic_store(&board->want_wake, 1);
	ck_assert(!scoreboard_set_busy(board, 3));
	ck_assert(scoreboard_set_busy(board, 5));
	/* told once, until it is wanted again */
	scoreboard_set_idle(board, 5);
	ck_assert(!scoreboard_set_busy(board, 5));
	atomic_store(&board->want_wake, 1);
	scoreboard_set_idle(board, 5);
	ck_assert(scoreboard_set_busy(board, 5));
}
END_TEST

START_TEST(words_beyond_any_bound_are_harmless)
{
	/* a process could write anything there */
	atomic_store(&board->words, UINT32_MAX);
	scoreboard_set_idle(board, 0);
	ck_assert_uint_eq(count_idle(), 1);
	ck_assert(!scoreboard_nobody_idle(board));
}
END_TEST

START_TEST(another_process_sees_the_same)
{
	struct err err;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct scoreboard *other = scoreboard_map(fd, &err);

		if (other)
			scoreboard_set_idle(other, 42);
		_exit(other ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(scoreboard_is_idle(board, 42));
}
END_TEST

START_TEST(something_else_is_refused)
{
	struct err err;
	int other = open("/dev/null", O_RDWR);

	ck_assert_ptr_null(scoreboard_map(other, &err));
	close(other);
	other = memfd_create("other", MFD_CLOEXEC);
	ck_assert_ptr_null(scoreboard_map(other, &err));
	ck_assert_int_eq(ftruncate(other, sizeof(struct scoreboard)), 0);
	ck_assert_ptr_null(scoreboard_map(other, &err)); /* no magic */
	close(other);
	ck_assert_ptr_null(scoreboard_map(-1, &err));
}
END_TEST

TCase *scoreboard_tcase(void)
{
	TCase *tc = tcase_create("scoreboard");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bits_are_the_state);
	tcase_add_test(tc, only_the_last_wakes_and_only_when_wanted);
	tcase_add_test(tc, words_beyond_any_bound_are_harmless);
	tcase_add_test(tc, another_process_sees_the_same);
	tcase_add_test(tc, something_else_is_refused);
	return tc;
}
