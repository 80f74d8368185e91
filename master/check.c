/* SPDX-License-Identifier: ISC */
/*
 * Only a program knows its own parameters, so each is asked: it is started with -C, reads the same
 * text of main.cf as its later processes will, and prints what is wrong. All run at once; the
 * answers are collected in memory files.
 */
#include "master/config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/service/scoreboard.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "master/spawn.h"

struct checker {
	const struct planned *planned;
	pid_t pid; /* -1: not running */
	int answer;
};

enum { ANSWER_MAX = 256 * 1024 };

static void start(struct checker *c, const struct config *config, struct arena *arena)
{
	char option[] = "-C", *lead[] = {option};
	struct spawn spawn = {.path = c->planned->path, .fd_count = SCORE_FD_LISTEN};

	c->pid = -1;
	c->answer = memfd_create("answer", MFD_CLOEXEC);
	spawn.argv = spawn_arguments(c->planned->entry, lead, 1, arena);
	for (size_t i = 0; i < spawn.fd_count; i++)
		spawn.fds[i] = -1;
	spawn.fds[1] = spawn.fds[2] = c->answer;
	spawn.fds[SCORE_FD_CONFIG] = config->text_fd;
	if (c->answer >= 0)
		c->pid = spawn_process(&spawn);
}

/* Waits for this one process and no other; false when the time is over. */
static bool finished(pid_t pid, int64_t deadline_ms, int *status_out)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	int64_t left;

	while (pidfd >= 0 && (left = deadline_ms - clock_mono_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) > 0)
			break;
	}
	if (pidfd >= 0)
		close(pidfd);
	if (waitpid(pid, status_out, WNOHANG) == pid)
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, status_out, 0);
	return false;
}

/* It can live with what it says, but the administrator should know; once for all entries. */
static void keep_lines(struct map *said, char *text, struct str *out)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!map_put(said, line, said))
			str_printf(out, "%s\n", line);
}

static void collect(
    struct checker *c, int64_t deadline_ms, struct map *said, struct str *out, struct problems *p)
{
	const char *path = c->planned->path;
	char *text = alloc_zero(1, ANSWER_MAX + 1);
	int status = 0;
	ssize_t n;

	if (c->pid < 0 || !finished(c->pid, deadline_ms, &status)) {
		str_printf(out, "%s does not check its parameters\n", path);
	} else {
		n = fd_pread_full(c->answer, text, ANSWER_MAX, 0);
		text[n > 0 ? n : 0] = '\0';
		if (status == 0)
			keep_lines(said, text, out);
		else if (text[0])
			problems_add_lines(p, text);
		else
			problems_add(p, "%s: its check of the parameters failed", path);
	}
	free(text);
	fd_close(&c->answer);
}

/* Entries with the same program and settings need asking once. */
static bool is_repeated(const struct config *config, size_t at)
{
	const struct master_cf_entry *a = config->plan[at].entry;

	for (size_t i = 0; i < at; i++) {
		const struct master_cf_entry *b = config->plan[i].entry;
		bool same = strcmp(config->plan[i].path, config->plan[at].path) == 0 &&
		            a->override_count == b->override_count;

		for (size_t k = 0; same && k < a->override_count; k++)
			same = strcmp(a->overrides[k].name, b->overrides[k].name) == 0 &&
			       strcmp(a->overrides[k].value, b->overrides[k].value) == 0;
		if (same)
			return true;
	}
	return false;
}

void config_check_programs(struct config *config, struct problems *p)
{
	struct checker *checkers = alloc_zero(config->plan_count + 1, sizeof(*checkers));
	int64_t deadline_ms = clock_mono_ms() + CHECK_LIMIT_MS;
	struct map *said = map_new();
	struct arena arena = {0};

	for (size_t i = 0; i < config->plan_count; i++) {
		if (is_repeated(config, i))
			continue;
		checkers[i].planned = &config->plan[i];
		start(&checkers[i], config, &arena);
	}
	for (size_t i = 0; i < config->plan_count; i++) {
		if (checkers[i].planned)
			collect(&checkers[i], deadline_ms, said, &config->programs_say, p);
	}
	map_free(&said, NULL);
	arena_fini(&arena);
	free(checkers);
}
