/* SPDX-License-Identifier: ISC */
/*
 * All accesses are sequentially consistent: of several processes that clear their bits at the same
 * time, the last in that order sees all words empty, so "nobody is idle" is told at least once.
 */
#include "lib/service/scoreboard.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/attr.h"

static unsigned words_of(const struct scoreboard *board)
{
	unsigned words = atomic_load(&board->words);

	return MIN(words, (unsigned)SCORE_WORDS);
}

struct scoreboard *scoreboard_new(int32_t master_pid, int *fd_out, struct err *err)
{
	struct scoreboard *board;
	int fd = memfd_create("scoreboard", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, sizeof(*board)) < 0) {
		err_sys(err, "shared memory for process states");
		goto fail;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED) {
		err_sys(err, "map shared memory for process states");
		goto fail;
	}
	board->magic = SCORE_MAGIC;
	board->master_pid = master_pid;
	atomic_store(&board->words, 1);
	*fd_out = fd;
	return board;
fail:
	if (fd >= 0)
		close(fd);
	return NULL;
}

struct scoreboard *scoreboard_map(int fd, struct err *err)
{
	struct scoreboard *board;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(*board)) {
		err_set(err, 0, "descriptor %d is not master's scoreboard", fd);
		return NULL;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED) {
		err_sys(err, "map descriptor %d as master's scoreboard", fd);
		return NULL;
	}
	if (board->magic != SCORE_MAGIC) {
		err_set(err, 0, "descriptor %d: master is of another version", fd);
		scoreboard_unmap(&board);
		return NULL;
	}
	return board;
}

void scoreboard_unmap(struct scoreboard **board)
{
	if (*board)
		munmap(*board, sizeof(**board));
	*board = NULL;
}

void scoreboard_set_idle(struct scoreboard *board, unsigned child)
{
	atomic_fetch_or(&board->idle[child / 64], UINT64_C(1) << child % 64);
}

bool scoreboard_nobody_idle(const struct scoreboard *board)
{
	for (unsigned i = 0, n = words_of(board); i < n; i++) {
		if (atomic_load(&board->idle[i]))
			return false;
	}
	return true;
}

bool scoreboard_set_busy(struct scoreboard *board, unsigned child)
{
	uint64_t bit = UINT64_C(1) << child % 64;

	if (atomic_fetch_and(&board->idle[child / 64], ~bit) & ~bit)
		return false;
	return scoreboard_nobody_idle(board) && atomic_load(&board->want_wake) &&
	       atomic_exchange(&board->want_wake, 0);
}

bool scoreboard_is_idle(const struct scoreboard *board, unsigned child)
{
	return atomic_load(&board->idle[child / 64]) >> child % 64 & 1;
}
