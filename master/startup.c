/* SPDX-License-Identifier: ISC */
#include "master/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum { LOG_MODE = 0600, LOCK_MODE = 0600, LOCK_TRIES = 5, LOCK_PAUSE_NS = 20 * 1000 * 1000 };

static _Noreturn void wait_until_ready(int fd, pid_t pid)
{
	char byte;
	ssize_t n;
	int status;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		exit(0);
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		log_error("master was killed by signal %d before it was up", WTERMSIG(status));
	exit(1);
}

int startup_detach(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		fatal("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fatal("fork: %s", strerror(errno));
	if (pid > 0) {
		close(ends[1]);
		wait_until_ready(ends[0], pid);
	}
	close(ends[0]);
	setsid();
	return ends[1];
}

void startup_ready(int ready_fd, bool keep_output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		fatal("open /dev/null: %s", strerror(errno));
	dup2(null, STDIN_FILENO);
	if (!keep_output) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	close(null);
	if (ready_fd >= 0) {
		fd_write_all(ready_fd, "", 1);
		close(ready_fd);
	}
}

static long read_pid(int fd)
{
	char text[64] = "";

	return fd_pread_full(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static char *pid_path(const struct core_params *core, const struct master_params *params)
{
	return alloc_printf(
	    "%s/%s/master.pid", core->queue_directory, params->process_id_directory);
}

bool startup_is_running(const struct core_params *core, const struct master_params *params)
{
	char *path = pid_path(core, params);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool running = fd >= 0 && fd_lock(fd, false) == 1;

	fd_close(&fd);
	free(path);
	return running;
}

/* postern(1) tests the lock by taking it for a moment, so one refusal is not believed. */
static int lock_patiently(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	int rc = fd_lock(fd, false);

	for (int tries = 1; rc == 1 && tries < LOCK_TRIES; tries++) {
		nanosleep(&pause, NULL);
		rc = fd_lock(fd, false);
	}
	return rc;
}

/*
 * The descriptor is never closed: the lock dies with the process. data_directory is mail_owner's:
 * another name of some file of root's must not be written to.
 */
static int take_lock(const char *path, const char *what)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOCK_MODE);
	struct stat st;
	char text[32];

	if (fd < 0)
		fatal("open lock file %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		fatal("lock file %s: expected a regular file with one name", path);
	/* who may read it could lock it as well, and be taken for a master */
	if ((st.st_mode & 07777) != LOCK_MODE)
		fchmod(fd, LOCK_MODE);
	switch (lock_patiently(fd)) {
	case 0:
		break;
	case 1:
		fatal("another master is running on this %s: process id %ld (lock file %s)", what,
		    read_pid(fd), path);
	default:
		fatal("lock %s: %s", path, strerror(errno));
	}
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || fd_pwrite_all(fd, text, strlen(text), 0) < 0)
		fatal("write process id to %s: %s", path, strerror(errno));
	return fd;
}

int startup_lock(const struct core_params *core, const struct master_params *params)
{
	char *path = pid_path(core, params);
	int fd = take_lock(path, "queue");

	free(path);
	path = alloc_printf("%s/master.lock", core->data_directory);
	take_lock(path, "data directory");
	free(path);
	return fd;
}

void startup_clean_environment(const struct core_params *core, const char *etc)
{
	size_t count = core->import_environment.count;
	char **kept = alloc_zero(count + 1, sizeof(*kept));

	for (size_t i = 0; i < count; i++) {
		const char *item = core->import_environment.items[i];
		const char *value = strchr(item, '=') ? NULL : getenv(item);

		if (strcmp(item, "MAIL_CONFIG") == 0)
			continue;
		if (strchr(item, '='))
			kept[i] = alloc_strdup(item);
		else if (value)
			kept[i] = alloc_printf("%s=%s", item, value);
	}
	clearenv();
	for (size_t i = 0; i < count; i++) {
		if (kept[i])
			putenv(kept[i]); /* the text is the environment's now */
	}
	free(kept);
	setenv("MAIL_CONFIG", etc, 1);
}

static bool has_allowed_prefix(const struct core_params *core)
{
	for (size_t i = 0; i < core->maillog_file_prefixes.count; i++) {
		const char *prefix = core->maillog_file_prefixes.items[i];

		if (strncmp(core->maillog_file, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

int startup_open_log(const struct core_params *core, bool foreground, struct err *err)
{
	const char *path = core->maillog_file;
	int fd;

	if (!*path)
		return -1;
	if (!has_allowed_prefix(core)) {
		err_set(err, 0,
		    "maillog_file = %s: expected a path that starts with one of "
		    "maillog_file_prefixes",
		    path);
		return -2;
	}
	if (strcmp(path, "/dev/stdout") == 0) {
		if (!foreground) {
			err_set(err, 0, "maillog_file = /dev/stdout: expected \"start-fg\"");
			return -2;
		}
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	} else {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_MODE);
	}
	if (fd < 0) {
		err_sys(err, "open maillog_file %s", path);
		return -2;
	}
	return fd;
}
