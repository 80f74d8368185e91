/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/boxlock.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * A mailbox file: locked in each of the ways of mailbox_delivery_lock, appended to, synced; cut
 * back to its old length when that fails, so that no half message is ever seen as one.
 */
enum { PATH_SIZE = 1024, FILE_MODE = 0600 };

struct mbox {
	const struct delivery *d;
	const char *path;
	const struct local_user *user;
	bool in_spool;
	bool spool_is_roots; /* the folder is not for all to write: root makes and locks there */
	bool locked_by_file;
	char lock_path[PATH_SIZE];
	int fd;
	bool regular;
	off_t old_size;
	int64_t deadline_ms; /* of what is not regular */
	struct verdict *v;
};

/* Becomes root for a moment where the spool asks for it. In and out: as the user. */
static void as_root(const struct mbox *box, bool begin)
{
	struct err err;

	if (!box->spool_is_roots)
		return;
	if (begin)
		identity_leave();
	else if (identity_enter(box->user, &err) < 0)
		fatal("%s", err.text);
}

static struct boxlock_patience patience_of(const struct mbox *box)
{
	const struct local_params *p = &box->d->local->params;

	return (struct boxlock_patience){
	    p->deliver_lock_attempts, p->deliver_lock_delay, p->stale_lock_time};
}

/* One try to make the lock file: 0, or -1 with errno. */
static int try_dotlock(const struct mbox *box)
{
	int rc, code;

	as_root(box, true);
	rc = boxlock_try_file(box->lock_path, box->d->local->params.stale_lock_time);
	code = errno;
	as_root(box, false);
	errno = code;
	return rc;
}

static bool take_dotlock(struct mbox *box)
{
	struct boxlock_patience patience = patience_of(box);

	if (snprintf(box->lock_path, sizeof(box->lock_path), "%s.lock", box->path) >=
	    (int)sizeof(box->lock_path)) {
		verdict_errno(box->v, ENAMETOOLONG, "lock %s", box->path);
		return false;
	}
	for (int i = 0; i < patience.attempts; i++) {
		if (i > 0) /* as the user */
			boxlock_pause(&patience);
		if (try_dotlock(box) == 0) {
			box->locked_by_file = true;
			return true;
		}
		if (errno != EEXIST)
			break;
	}
	/* A file that an alias names may lie where no lock file can be made; the others lock too.
	 */
	if (errno != EEXIST && !box->in_spool)
		return true;
	verdict_errno(box->v, errno == EEXIST ? EAGAIN : errno, "unable to create lock file %s",
	    box->lock_path);
	return false;
}

static bool take_fd_lock(struct mbox *box, bool use_flock)
{
	struct boxlock_patience patience = patience_of(box);

	if (boxlock_kernel(box->fd, use_flock, &patience) == 0)
		return true;
	verdict_errno(box->v, EAGAIN, "unable to lock for exclusive access");
	return false;
}

/* As the user. */
static int open_or_create(struct mbox *box)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(box->path, flags), code;
	struct stat folder;
	char parent[PATH_SIZE];
	char *slash;
	gid_t group = box->user->gid;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (!box->spool_is_roots)
		return open(box->path, flags | O_CREAT | O_EXCL, FILE_MODE);
	snprintf(parent, sizeof(parent), "%s", box->path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	as_root(box, true);
	fd = open(box->path, flags | O_CREAT | O_EXCL, FILE_MODE);
	if (fd >= 0 && stat(parent, &folder) == 0 && (folder.st_mode & S_ISGID))
		group = (gid_t)-1;
	if (fd >= 0 && fchown(fd, box->user->uid, group) < 0) {
		code = errno;
		fd_close(&fd);
		unlink(box->path);
		errno = code;
	}
	code = errno;
	as_root(box, false);
	errno = code;
	return fd;
}

static bool open_mailbox(struct mbox *box)
{
	struct stat st;

	box->fd = open_or_create(box);
	if (box->fd < 0 && errno == EEXIST)
		box->fd = open_or_create(box); /* someone else made it just now */
	if (box->fd < 0 || fstat(box->fd, &st) < 0) {
		verdict_errno(box->v, errno, "cannot open file");
		return false;
	}
	box->regular = S_ISREG(st.st_mode);
	if (S_ISDIR(st.st_mode) || (box->regular && st.st_nlink > 1)) {
		verdict_set(box->v, OUTCOME_DEFERRED, "4.2.0", "%s",
		    S_ISDIR(st.st_mode) ? "file is a directory" : "file has more than one name");
		return false;
	}
	if (box->in_spool && identity_is_root() && st.st_uid != box->user->uid &&
	    box->d->local->params.strict_mailbox_ownership) {
		verdict_set(box->v, OUTCOME_DEFERRED, "4.2.0",
		    "destination %s is not owned by recipient", box->path);
		return false;
	}
	return true;
}

static bool lock_mailbox(struct mbox *box)
{
	const struct conf_list *how = &box->d->local->params.mailbox_delivery_lock;

	if (!box->regular)
		return true;
	if (local_list_has(how, "dotlock") && !take_dotlock(box))
		return false;
	if (local_list_has(how, "fcntl") && !take_fd_lock(box, false))
		return false;
	return !local_list_has(how, "flock") || take_fd_lock(box, true);
}

/* A pipe or a device, whose reader may never read: as long as a command, and no longer. */
static int put_slowly(struct mbox *box, const struct str *piece)
{
	struct pollfd pfd = {.fd = box->fd, .events = POLLOUT};

	for (size_t at = 0; at < piece->len;) {
		int64_t left = box->deadline_ms - clock_mono_ms();
		ssize_t n;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&pfd, 1, (int)MIN(left, (int64_t)INT_MAX)) <= 0)
			continue;
		n = write(box->fd, piece->data + at, piece->len - at);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* 0, or -1 with errno. */
static int put(struct mbox *box, const struct str *piece, off_t *total)
{
	int64_t limit = box->d->local->params.mailbox_size_limit;

	*total += (off_t)piece->len;
	if (box->regular && limit && *total > limit) {
		errno = EFBIG;
		return -1;
	}
	return box->regular ? fd_write_all(box->fd, piece->data, piece->len)
	                    : put_slowly(box, piece);
}

static int write_message(struct mbox *box)
{
	struct content content;
	struct str piece = {0};
	off_t total = box->old_size;
	int got, code, result = -1;

	local_put_prefix(box->d, "file", PREFIX_FROM_LINE | PREFIX_RETURN_PATH, &piece);
	content_init(&content, box->d->job->m, true);
	if (put(box, &piece, &total) < 0)
		goto out;
	while ((got = content_next(&content, &piece)) > 0)
		if (put(box, &piece, &total) < 0)
			goto out;
	if (got < 0)
		goto out;
	str_clear(&piece);
	str_put_text(&piece, content.last_lf ? "\n" : "\n\n");
	if (put(box, &piece, &total) < 0)
		goto out;
	result = box->regular ? fsync(box->fd) : 0;
out:
	code = errno;
	content_fini(&content);
	str_fini(&piece);
	errno = code;
	return result;
}

/* As the user, the file open and locked. */
static void append(struct mbox *box)
{
	struct stat st;

	if (fstat(box->fd, &st) < 0) {
		verdict_errno(box->v, errno, "cannot examine file");
		return;
	}
	box->deadline_ms = clock_mono_ms() + 1000LL * box->d->local->params.command_time_limit;
	if (box->regular)
		fd_set_nonblock(box->fd, false);
	box->old_size = box->regular ? st.st_size : 0;
	if (write_message(box) == 0) {
		verdict_set(box->v, OUTCOME_SENT, "2.0.0", "delivered to mailbox");
		return;
	}
	verdict_errno(box->v, errno, "error writing message");
	if (box->regular && (ftruncate(box->fd, box->old_size) < 0 || fsync(box->fd) < 0))
		log_warn("%s: cannot be cut back to %lld bytes: %s", box->path,
		    (long long)box->old_size, strerror(errno));
}

static void deliver_as_user(struct mbox *box)
{
	if (open_mailbox(box) && lock_mailbox(box))
		append(box);
	fd_close(&box->fd);
	if (box->locked_by_file) {
		as_root(box, true);
		unlink(box->lock_path);
		as_root(box, false);
	}
}

static bool writable_for_all(const char *path)
{
	char parent[PATH_SIZE];
	char *slash;
	struct stat st;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	return stat(parent, &st) == 0 && (st.st_mode & S_IWOTH);
}

void mbox_deliver(const struct delivery *d, const char *path, const struct local_user *user,
    bool in_spool, struct verdict *verdict)
{
	struct mbox box = {
	    .d = d, .path = path, .user = user, .in_spool = in_spool, .fd = -1, .v = verdict};
	struct err err;

	if (agent_only_verifies(d->job)) {
		verdict_set(verdict, OUTCOME_SENT, "2.0.0", "delivers to mailbox");
		return;
	}
	if (strlen(path) >= PATH_SIZE - sizeof(".lock")) {
		verdict_errno(verdict, ENAMETOOLONG, "mailbox %.100s...", path);
		return;
	}
	box.spool_is_roots = in_spool && identity_is_root() && !writable_for_all(path);
	if (identity_enter(user, &err) < 0) {
		verdict_set(verdict, OUTCOME_DEFERRED, "4.3.0", "%s", err.text);
	} else {
		deliver_as_user(&box);
		identity_leave();
	}
	if (verdict->outcome != OUTCOME_SENT)
		verdict_prefix(verdict, "cannot update mailbox %s for user %s. ", path, user->name);
}
