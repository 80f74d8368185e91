/* SPDX-License-Identifier: ISC */
#include "master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/log.h"

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Twice: the numbers wanted may be those of descriptors that are still to be moved. */
static int place_fds(const struct spawn *spawn)
{
	int count = (int)spawn->fd_count, high[SPAWN_FDS_MAX];

	for (int i = 0; i < count; i++) {
		high[i] = -1;
		if (spawn->fds[i] < 0)
			continue;
		high[i] = fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, count);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < count; i++) {
		if (high[i] < 0)
			close(i);
		else if (dup2(high[i], i) < 0)
			return -1;
	}
	close_range((unsigned)count, ~0U, 0);
	return 0;
}

static _Noreturn void become(const struct spawn *spawn, pid_t parent)
{
	static const char text[] = "cannot start the program\n";
	ssize_t n;

	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	if (place_fds(spawn) == 0)
		execv(spawn->path, spawn->argv);
	n = write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(n < 0 ? 126 : 127);
}

pid_t spawn_process(const struct spawn *spawn)
{
	pid_t parent = getpid(), pid;
	sigset_t all, old;

	must(spawn->fd_count <= SPAWN_FDS_MAX);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0)
		become(spawn, parent);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

static bool is_verbose(const char *arg)
{
	return arg[0] == '-' && arg[1] == 'v' && arg[1 + strspn(arg + 1, "v")] == '\0';
}

char **spawn_arguments(
    const struct master_cf_entry *entry, char *const *lead, size_t lead_count, struct arena *arena)
{
	size_t max = lead_count + 10 + (size_t)entry->verbose + 2 * entry->override_count +
	             entry->arg_count + 1;
	char **argv = arena_zero(arena, max, sizeof(*argv));
	size_t n = 0;

	argv[n++] = arena_strdup(arena, entry->command);
	for (size_t i = 0; i < lead_count; i++)
		argv[n++] = lead[i];
	argv[n++] = arena_strdup(arena, "-n");
	argv[n++] = arena_strdup(arena, entry->name);
	argv[n++] = arena_strdup(arena, "-t");
	argv[n++] = arena_strdup(arena, master_cf_type_name(entry->type));
	if (entry->chroot)
		argv[n++] = arena_strdup(arena, "-c");
	if (entry->unprivileged)
		argv[n++] = arena_strdup(arena, "-u");
	for (int i = 0; i < entry->verbose; i++)
		argv[n++] = arena_strdup(arena, "-v");
	if (entry->override_count > 0) { /* for what is to be said of them */
		argv[n++] = arena_strdup(arena, "-L");
		argv[n++] = arena_printf(arena, "%d", entry->line);
	}
	for (size_t i = 0; i < entry->override_count; i++) {
		argv[n++] = arena_strdup(arena, "-o");
		argv[n++] = arena_printf(
		    arena, "%s=%s", entry->overrides[i].name, entry->overrides[i].value);
	}
	for (size_t i = 0; i < entry->arg_count; i++) {
		if (strcmp(entry->args[i], "-o") == 0)
			i++; /* with its value */
		else if (strncmp(entry->args[i], "-o", 2) != 0 && !is_verbose(entry->args[i]))
			argv[n++] = arena_strdup(arena, entry->args[i]);
	}
	return argv;
}
