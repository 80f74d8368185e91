/* SPDX-License-Identifier: ISC */
/*
 * All of a hashed directory at once. Its sub-directories get another name, which takes their
 * messages out of the queue in one step each, whatever their number: nobody looks for mail below a
 * name with a dot. Then the files are removed; that is what takes the time of a file system that
 * has to give back tens of thousands of inodes, and nobody needs to wait for it.
 *
 * Who wants to put a message into a sub-directory meanwhile makes a new one of its name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/log.h"

/* Up to so many files are removed at once, before the command ends. */
enum { AT_ONCE = 2000, PATH_SIZE = 512, DEPTH_MAX = 3 };

#define WIPED ".deleted."

struct wipe {
	struct postsuper *p;
	unsigned long count;
	bool remove; /* else: count */
};

static void one_file(struct wipe *w, int dir, const char *name)
{
	bool message = queue_id_valid(name);

	if (w->remove && unlinkat(dir, name, 0) < 0) {
		if (errno != ENOENT)
			log_warn("remove file %s: %s", name, strerror(errno));
		return;
	}
	w->count += message;
	if (w->remove && message)
		remove_logs(w->p, name);
}

/* Never by way of a symbolic link, at no level: what it points at is not the queue's. */
static void walk(struct wipe *w, int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!dir) {
		if (errno != ENOENT)
			log_warn("open directory %s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type == DT_DIR && depth < DEPTH_MAX)
			walk(w, fd, entry->d_name, depth + 1);
		else if (entry->d_type == DT_REG)
			one_file(w, fd, entry->d_name);
	}
	closedir(dir);
	if (w->remove && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		log_warn("remove directory %s: %s", name, strerror(errno));
}

typedef void each_fn(struct wipe *w, const char *dir, const char *name);

static void each_entry(struct wipe *w, const char *dir, each_fn *fn)
{
	DIR *handle = opendir(dir);
	const struct dirent *entry;

	if (!handle) {
		log_warn("open directory %s: %s", dir, strerror(errno));
		return;
	}
	while ((entry = readdir(handle)))
		fn(w, dir, entry->d_name);
	closedir(handle);
}

static void put_aside(struct wipe *w, const char *dir, const char *name)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	struct stat st;

	if (strlen(name) != 1 || name[0] == '.')
		return;
	snprintf(from, sizeof(from), "%s/%s", dir, name);
	snprintf(to, sizeof(to), "%s/" WIPED "%ld.%s", dir, (long)getpid(), name);
	if (lstat(from, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	if (rename(from, to) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_warn("rename %s as %s: %s", from, to, strerror(errno));
		return;
	}
	walk(w, AT_FDCWD, to, 0);
}

static bool is_wiped(const char *name, long *pid_out)
{
	size_t len = strlen(WIPED);

	if (strncmp(name, WIPED, len) != 0)
		return false;
	*pid_out = strtol(name + len, NULL, 10);
	return true;
}

static void remove_own(struct wipe *w, const char *dir, const char *name)
{
	char path[PATH_SIZE];
	long pid;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (is_wiped(name, &pid) && pid == (long)w->p->pid)
		walk(w, AT_FDCWD, path, 0);
}

static void remove_orphaned(struct wipe *w, const char *dir, const char *name)
{
	char path[PATH_SIZE];
	long pid;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (is_wiped(name, &pid) && (pid <= 0 || (kill((pid_t)pid, 0) < 0 && errno == ESRCH)))
		walk(w, AT_FDCWD, path, 0);
}

/*
 * In the background, without the terminal or the pipe of who has called. As fork(2): 0 is the
 * child, and without one it has to be done here.
 */
static pid_t go_behind(void)
{
	pid_t pid;
	int null;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	setsid();
	log_echo(false);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (nice(5) < 0)
		errno = 0; /* as it is, then */
	return 0;
}

unsigned long wipe_hashed(struct postsuper *p, const char *dir)
{
	struct wipe w = {.p = p};

	if (!queue_dir_is_hashed(p->queue, dir))
		return 0;
	p->pid = getpid();
	each_entry(&w, dir, put_aside);
	if (w.count <= AT_ONCE || p->wait || go_behind() <= 0) {
		struct wipe gone = {.p = p, .remove = true};

		each_entry(&gone, dir, remove_own);
		if (getpid() != p->pid)
			_exit(0);
	}
	return w.count;
}

void wipe_leftovers(struct postsuper *p, const char *dir)
{
	struct wipe w = {.p = p, .remove = true};

	each_entry(&w, dir, remove_orphaned);
	if (w.count > 0)
		log_info("%s: finished the deletion of %lu message%s", dir, w.count,
		    w.count == 1 ? "" : "s");
}
