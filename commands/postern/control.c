/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/net.h"

enum {
	STOP_LIMIT_MS = 20000,
	KILL_LIMIT_MS = 5000,
	CONNECT_LIMIT_MS = 5000,
	RELOAD_LIMIT_MS = 20000,
	VICTIMS_MAX = 8192
};

static pid_t must_run(const struct instance *in)
{
	pid_t pid = instance_master(in);

	if (pid == 0)
		instance_fail(in, "the Postfix mail system is not running");
	return pid;
}

static void must_not_run(const struct instance *in)
{
	pid_t pid = instance_master(in);

	if (pid != 0)
		instance_fail(in, "the Postfix mail system is already running: PID: %d", (int)pid);
}

int command_status(struct instance *in)
{
	pid_t pid = instance_master(in);

	if (pid == 0) {
		fprintf(stderr, "the Postfix mail system is not running\n");
		return 1;
	}
	fprintf(stderr, "the Postfix mail system is running: PID: %d\n", (int)pid);
	return 0;
}

/*
 * What receptions that died a day ago or more have left goes away. Only the two directories where
 * mail is received, so that a large deferred queue does not hold up the start.
 */
static void purge_leftovers(const struct instance *in)
{
	char *path = alloc_printf("%s/postsuper", in->core.command_directory);
	char c[] = "-c", *etc = alloc_strdup(in->etc), purge[] = "-p", incoming[] = "incoming",
	     maildrop[] = "maildrop";
	char *argv[] = {path, c, etc, purge, incoming, maildrop, NULL};

	if (access(path, X_OK) == 0)
		run_program(path, argv, true); /* it says itself what it could not do */
	free(etc);
	free(path);
}

int command_start(struct instance *in)
{
	char wait[] = "-w", c[] = "-c", *etc = alloc_strdup(in->etc);
	char *argv[] = {in->master, wait, c, etc, NULL};
	int status;

	must_not_run(in);
	dirs_check(in, DIRS_CREATE);
	purge_leftovers(in);
	instance_say(in, "starting the Postfix mail system");
	status = run_program(in->master, argv, false);
	free(etc);
	if (status != 0)
		instance_fail(in, "the Postfix mail system has not started");
	return 0;
}

int command_start_fg(struct instance *in)
{
	char fg[] = "-s", init[] = "-i", c[] = "-c";
	char *argv[] = {in->master, getpid() == 1 ? init : fg, c, alloc_strdup(in->etc), NULL};

	must_not_run(in);
	dirs_check(in, DIRS_CREATE);
	purge_leftovers(in);
	instance_say(in, "starting the Postfix mail system");
	execv(in->master, argv);
	instance_fail(in, "%s: %s", in->master, strerror(errno));
}

static int pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Waits for the end of a process that is not our child. */
static bool wait_gone(int fd, int limit_ms)
{
	int64_t deadline = clock_mono_ms() + limit_ms, left;
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	while ((left = deadline - clock_mono_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) > 0)
			return true;
	}
	return false;
}

/* master and its children, held by descriptors, so that no recycled process id is ever hit. */
struct victims {
	int *fds;
	size_t count;
};

static void add_victim(struct victims *v, pid_t pid)
{
	int fd = pidfd(pid);

	if (fd < 0 || v->count == VICTIMS_MAX)
		return;
	v->fds = alloc_array(v->fds, v->count + 1, sizeof(int));
	v->fds[v->count++] = fd;
}

static void add_children(struct victims *v, pid_t pid)
{
	char path[64];
	FILE *list;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	list = fopen(path, "re");
	while (list && fscanf(list, "%d", &child) == 1)
		add_victim(v, child);
	if (list)
		fclose(list);
}

static int kill_everything(struct instance *in, pid_t pid)
{
	struct victims v = {0};
	int status = 0;

	add_victim(&v, pid);
	add_children(&v, pid);
	if (v.count > 0 && syscall(SYS_pidfd_send_signal, v.fds[0], SIGKILL, NULL, 0) < 0 &&
	    errno != ESRCH)
		instance_fail(in, "kill process %d: %s", (int)pid, strerror(errno));
	for (size_t i = 0; i < v.count; i++) {
		syscall(SYS_pidfd_send_signal, v.fds[i], SIGKILL, NULL, 0);
		if (!wait_gone(v.fds[i], KILL_LIMIT_MS))
			status = 1;
		close(v.fds[i]);
	}
	free(v.fds);
	return status;
}

int command_stop(struct instance *in)
{
	pid_t pid = must_run(in);
	int fd = pidfd(pid);
	bool gone;

	instance_say(in, "stopping the Postfix mail system");
	if (fd < 0)
		return errno == ESRCH ? 0 : 1;
	if (syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		instance_fail(in, "signal process %d: %s", (int)pid, strerror(errno));
	gone = wait_gone(fd, STOP_LIMIT_MS);
	close(fd);
	if (gone)
		return 0;
	instance_say(in, "process %d does not end; killing it and all its processes", (int)pid);
	return kill_everything(in, pid);
}

int command_abort(struct instance *in)
{
	pid_t pid = must_run(in);

	instance_say(in, "aborting the Postfix mail system");
	return kill_everything(in, pid);
}

/* master touches its process id file when it is through with a reload, whatever came of it. */
static int watch_pid_file(const struct instance *in)
{
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd >= 0 && inotify_add_watch(fd, in->pid_file, IN_ATTRIB) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int command_reload(struct instance *in)
{
	char check[] = "-C", c[] = "-c";
	char *argv[] = {in->master, check, c, alloc_strdup(in->etc), NULL};
	pid_t pid = must_run(in);
	struct pollfd done = {.events = POLLIN};

	if (run_program(in->master, argv, false) != 0)
		instance_fail(
		    in, "the configuration in %s has errors; nothing has changed", in->etc);
	free(argv[3]);
	instance_say(in, "refreshing the Postfix mail system");
	done.fd = watch_pid_file(in);
	if (kill(pid, SIGHUP) < 0)
		instance_fail(in, "signal process %d: %s", (int)pid, strerror(errno));
	if (done.fd >= 0 && poll(&done, 1, RELOAD_LIMIT_MS) == 0)
		instance_fail(in, "process %d has not applied the configuration yet", (int)pid);
	return 0;
}

int command_flush(struct instance *in)
{
	struct err err;
	int fd;

	must_run(in);
	if (chdir(in->core.queue_directory) < 0)
		instance_fail(in, "%s: %s", in->core.queue_directory, strerror(errno));
	fd = net_connect_unix("public/qmgr", CONNECT_LIMIT_MS, &err);
	if (fd < 0 || write(fd, "F", 1) != 1)
		instance_fail(
		    in, "tell the queue manager: %s", fd < 0 ? err.text : strerror(errno));
	close(fd);
	return 0;
}

int command_logrotate(struct instance *in)
{
	const char *path = in->core.maillog_file;
	char suffix[64], *old;
	time_t now = time(NULL);
	struct tm tm;

	if (!*path || strncmp(path, "/dev/", 5) == 0)
		instance_fail(in, "maillog_file is not a file: there is nothing to rotate");
	localtime_r(&now, &tm);
	strftime(suffix, sizeof(suffix), "%Y%m%d-%H%M%S", &tm);
	old = alloc_printf("%s.%s", path, suffix);
	if (rename(path, old) < 0)
		instance_fail(in, "rename %s: %s", path, strerror(errno));
	free(old);
	return instance_master(in) ? command_reload(in) : 0;
}
