/* SPDX-License-Identifier: ISC */
/*
 * Logs of sites. An append of a line is one write(2) to a file opened for appending, which mixes
 * with no other. Who takes a log gives it another name first; a writer that had it open then finds,
 * after its write, that the name stands for another file, and writes once more: doubles are
 * harmless, and no process that stops at a bad moment holds up mail.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/map.h"
#include "lib/base/num.h"
#include "lib/peer/flush.h"
#include "lib/sys/fd.h"

enum {
	PATH_SIZE = 512,
	READ_CHUNK = 65536,
	TIDY_BYTES = 65536, /* a log is tidied once for about as many bytes added */
	/*
	 * Who takes wins against a try only when it renames within the microseconds of it, so tries
	 * lost in a row get rarer fast; on a busy disk with three takers that never rest five were
	 * seen. The bound is for a file system that does not keep inode numbers.
	 */
	ADD_TRIES = 100
};

static void site_name(const char *site, char *out)
{
	for (; *site; site++)
		*out++ = isalnum((unsigned char)*site) ? (char)tolower((unsigned char)*site) : '_';
	*out = '\0';
}

bool flush_log_path(const struct queue *queue, const char *site, char *out, size_t size)
{
	char name[FLUSH_SITE_MAX + 1], hash[16] = "";
	size_t len = strlen(site);
	int depth = queue_hash_depth(queue, "flush");

	if (len == 0 || len > FLUSH_SITE_MAX)
		return false;
	site_name(site, name);
	for (int i = 0; i < depth && 2 * (size_t)i + 2 < sizeof(hash); i++) {
		hash[2 * i] = (size_t)i < len ? name[i] : '_';
		hash[2 * i + 1] = '/';
		hash[2 * i + 2] = '\0';
	}
	return snprintf(out, size, "flush/%s%s", hash, name) < (int)size;
}

static int make_parents(const char *path)
{
	char part[PATH_SIZE], *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int open_log(const char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT && make_parents(path) == 0)
		fd = open(path, flags, 0600);
	return fd;
}

/* Is the file that was written the one that the name stands for? */
static bool still_named(int fd, const char *path, struct stat *st)
{
	struct stat named;

	return fstat(fd, st) == 0 && lstat(path, &named) == 0 && named.st_ino == st->st_ino &&
	       named.st_dev == st->st_dev;
}

/* Appends the lines in one write. size_out: the log's size now. */
static int append(const char *path, const char *lines, size_t len, off_t *size_out, struct err *err)
{
	for (int i = 0; i < ADD_TRIES; i++) {
		int fd = open_log(path);
		struct stat st;
		bool named;

		if (fd < 0)
			return err_sys(err, "open %s", path);
		if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
			close(fd);
			return err_set(err, EINVAL, "%s is not a file", path);
		}
		if (fd_write_all(fd, lines, len) < 0) {
			err_sys(err, "write %s", path);
			close(fd);
			return -1;
		}
		named = still_named(fd, path, &st);
		close(fd);
		if (named) {
			*size_out = st.st_size;
			return 0;
		}
	}
	return err_set(err, EAGAIN, "%s is renamed again and again", path);
}

/* ---- reading ------------------------------------------------------------------------------- */

struct lines {
	struct map *seen;
	flush_log_fn *fn;
	void *arg;
	struct str left; /* not taken by fn */
	bool stopped;
};

static void take_line(struct lines *l, const char *line, size_t len)
{
	char id[QUEUE_ID_MAX];

	if (len == 0 || len >= sizeof(id) || memchr(line, '\0', len))
		return;
	memcpy(id, line, len);
	id[len] = '\0';
	if (!queue_id_valid(id) || map_get(l->seen, id))
		return;
	map_put(l->seen, id, l);
	if (!l->stopped)
		l->stopped = !l->fn(l->arg, id);
	if (l->stopped)
		str_printf(&l->left, "%s\n", id);
}

/* What is no id is passed by, however long; the memory follows the number of ids. */
static int read_lines(int fd, struct lines *l)
{
	char buf[READ_CHUNK], line[QUEUE_ID_MAX];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n') {
				take_line(l, line, len);
				len = 0;
			} else if (len < sizeof(line)) {
				line[len++] = buf[i];
			}
		}
	}
	return 0; /* a line without its end was being written when the system stopped */
}

static int take(const char *rest, const char *path, flush_log_fn *fn, void *arg, struct err *err)
{
	struct lines l = {.fn = fn, .arg = arg};
	int fd = open(rest, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
	off_t size;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open %s", rest);
	l.seen = map_new();
	rc = read_lines(fd, &l);
	if (rc < 0)
		err_sys(err, "read %s", rest);
	close(fd);
	if (rc == 0 && l.left.len > 0)
		rc = append(path, l.left.data, l.left.len, &size, err);
	if (rc == 0 && unlink(rest) < 0 && errno != ENOENT)
		rc = err_sys(err, "remove %s", rest);
	map_free(&l.seen, NULL);
	str_fini(&l.left);
	return rc;
}

/* "flush/example_com.4711": no site's file has a dot in its name. */
static bool rest_name(const char *path, char *out, size_t size)
{
	return snprintf(out, size, "%s.%ld", path, (long)getpid()) < (int)size;
}

bool flush_log_is_rest(const char *name)
{
	return strchr(name, '.') != NULL;
}

int flush_log_take(const char *path, flush_log_fn *fn, void *arg, struct err *err)
{
	char rest[PATH_SIZE];
	struct stat st;
	int fd, rc;

	if (!rest_name(path, rest, sizeof(rest)))
		return err_set(err, ENAMETOOLONG, "%s", path);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is not a file", path);
	if (rename(path, rest) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "rename %s", path);
	rc = take(rest, path, fn, arg, err);
	fd = open_log(path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int flush_log_take_rest(const char *rest, flush_log_fn *fn, void *arg, struct err *err)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%.*s", (int)(strrchr(rest, '.') - rest), rest);
	return take(rest, path, fn, arg, err);
}

/* ---- tidying ------------------------------------------------------------------------------- */

struct tidy {
	const struct queue *queue;
	struct str keep;
};

static bool keep_waiting(void *arg, const char *id)
{
	static const char *const dirs[] = {"deferred", "active"};
	struct tidy *t = arg;
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		queue_path(t->queue, dirs[i], id, path, sizeof(path));
		if (access(path, F_OK) == 0) {
			str_printf(&t->keep, "%s\n", id);
			break;
		}
	}
	return true;
}

static int tidy_log(const struct queue *queue, const char *path, struct err *err)
{
	struct tidy t = {.queue = queue};
	char rest[PATH_SIZE];
	struct stat st;
	off_t size;
	int rc = 0;

	if (!rest_name(path, rest, sizeof(rest)) || lstat(path, &st) < 0 || rename(path, rest) < 0)
		return 0;
	rc = take(rest, path, keep_waiting, &t, err);
	if (rc == 0 && t.keep.len > 0)
		rc = append(path, t.keep.data, t.keep.len, &size, err);
	/* it has not been read by anybody: its age goes on */
	utimensat(AT_FDCWD, path, (struct timespec[]){st.st_atim, {.tv_nsec = UTIME_OMIT}},
	    AT_SYMLINK_NOFOLLOW);
	str_fini(&t.keep);
	return rc;
}

/* By chance, so that nothing has to be remembered, and a log that hovers at a bound costs no more.
 */
static bool time_to_tidy(off_t size, size_t added)
{
	uint32_t dice;

	return size >= TIDY_BYTES && getrandom(&dice, sizeof(dice), GRND_NONBLOCK) > 0 &&
	       dice % (TIDY_BYTES / (uint32_t)added) == 0;
}

int flush_log_add(const struct queue *queue, const char *site, const char *id, struct err *err)
{
	char path[PATH_SIZE], line[QUEUE_ID_MAX + 1];
	off_t size = 0;
	int len;

	if (!queue_id_valid(id) || !flush_log_path(queue, site, path, sizeof(path)))
		return err_set(
		    err, EINVAL, "\"%.100s\" and \"%.50s\" are no site and message", site, id);
	len = snprintf(line, sizeof(line), "%s\n", id);
	if (append(path, line, (size_t)len, &size, err) < 0)
		return -1;
	return time_to_tidy(size, (size_t)len) ? tidy_log(queue, path, err) : 0;
}

int flush_log_enable(const struct queue *queue, const char *site, struct err *err)
{
	char path[PATH_SIZE];
	int fd;

	if (!flush_log_path(queue, site, path, sizeof(path)))
		return err_set(err, EINVAL, "\"%.100s\" is no site", site);
	fd = open_log(path);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	close(fd);
	return 0;
}
