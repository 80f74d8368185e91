/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * A Maildir message is written under tmp/, synced, renamed to new/, and the folder new/ is synced:
 * only then is the name as durable as the bytes, and the recipient may be marked as done.
 */
enum { NAME_SIZE = 1024, FOLDER_MODE = 0700, FILE_MODE = 0600 };

static void put_host(struct str *out, const char *host)
{
	for (; *host; host++) {
		if (*host == '/')
			str_put_text(out, "\\057");
		else if (*host == ':')
			str_put_text(out, "\\072");
		else
			str_put_char(out, *host);
	}
}

static void finish_name(struct str *name, const char *host, char *out, size_t size)
{
	put_host(name, host);
	snprintf(out, size, "%s", str_text(name));
	str_fini(name);
}

void maildir_tmp_name(const struct maildir_stamp *s, char *out, size_t size)
{
	struct str name = {0};

	str_printf(&name, "%" PRId64 ".M%06dP%d.", s->time_us / 1000000,
	    (int)(s->time_us % 1000000), s->pid);
	finish_name(&name, s->host, out, size);
}

void maildir_new_name(const struct maildir_stamp *s, char *out, size_t size)
{
	struct str name = {0};

	str_printf(&name, "%" PRId64 ".V%" PRIx64 "I%" PRIx64 "M%d.", s->time_us / 1000000, s->dev,
	    s->ino, (int)(s->time_us % 1000000));
	finish_name(&name, s->host, out, size);
}

/* mkdir -p of path (which ends in '/'), 0700 for what is missing. */
static int make_path(const char *path)
{
	char part[NAME_SIZE];
	size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 1; i < len; i++) {
		if (path[i] != '/' || path[i - 1] == '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, FOLDER_MODE) < 0 && errno != EEXIST) {
			struct stat st;
			int code = errno;

			/* A folder that may not be written need not be: it is there. */
			if (stat(part, &st) < 0 || !S_ISDIR(st.st_mode)) {
				errno = code;
				return -1;
			}
		}
	}
	return 0;
}

/*
 * Root's spool is not writable for its users: root makes the user's own folder in it. Called as
 * the user, and returns as the user.
 */
static int make_in_spool(const char *path, const struct local_user *user)
{
	char part[NAME_SIZE];
	struct err err;
	int result, code;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	part[strlen(part) - 1] = '\0';
	identity_leave();
	result = mkdir(part, FOLDER_MODE);
	if (result == 0)
		result = lchown(part, user->uid, user->gid);
	code = errno;
	if (identity_enter(user, &err) < 0)
		fatal("%s", err.text);
	errno = code;
	return result;
}

static int make_folders(const char *path, const struct local_user *user, bool in_spool)
{
	static const char *const parts[] = {"tmp/", "new/", "cur/"};
	char part[NAME_SIZE];

	if (make_path(path) < 0 &&
	    (!in_spool || !identity_is_root() || make_in_spool(path, user) < 0))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		if (make_path(part) < 0)
			return -1;
	}
	return 0;
}

static int create(const char *file, const char *path, const struct local_user *user, bool in_spool)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(file, flags, FILE_MODE);

	if (fd < 0 && errno == ENOENT && make_folders(path, user, in_spool) == 0)
		fd = open(file, flags, FILE_MODE);
	return fd;
}

/* 0 or -1 with errno. */
static int write_message(const struct delivery *d, int fd)
{
	int64_t limit = d->local->params.mailbox_size_limit;
	struct content content;
	struct str piece = {0};
	int got, result = -1;
	int64_t total;

	local_put_prefix(d, "file", PREFIX_RETURN_PATH, &piece);
	total = (int64_t)piece.len;
	content_init(&content, d->job->m, false);
	if (fd_write_all(fd, piece.data, piece.len) < 0)
		goto out;
	while ((got = content_next(&content, &piece)) > 0) {
		total += (int64_t)piece.len;
		if (limit && total > limit) {
			errno = EFBIG;
			goto out;
		}
		if (piece.len && fd_write_all(fd, piece.data, piece.len) < 0)
			goto out;
	}
	if (got == 0)
		result = fsync(fd);
out:;
	int code = errno;

	content_fini(&content);
	str_fini(&piece);
	errno = code;
	return result;
}

static int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);
	int code = errno;

	fd_close(&fd);
	errno = code;
	return result;
}

/* With the user's rights. */
static void store(const struct delivery *d, const char *path, const struct local_user *user,
    bool in_spool, struct verdict *v)
{
	char name[NAME_SIZE / 2], tmp[NAME_SIZE], new[NAME_SIZE], folder[NAME_SIZE];
	struct maildir_stamp stamp = {
	    clock_wall_us(), (int)getpid(), 0, 0, d->local->core->myhostname};
	struct stat st;
	int fd;

	maildir_tmp_name(&stamp, name, sizeof(name));
	if (snprintf(tmp, sizeof(tmp), "%stmp/%s", path, name) >= (int)sizeof(tmp)) {
		verdict_errno(v, ENAMETOOLONG, "%s", path);
		return;
	}
	fd = create(tmp, path, user, in_spool);
	if (fd < 0) {
		verdict_errno(v, errno, "create maildir file %s", tmp);
		return;
	}
	if (write_message(d, fd) < 0 || fstat(fd, &st) < 0) {
		verdict_errno(v, errno, "error writing message");
		goto drop;
	}
	stamp.dev = st.st_dev;
	stamp.ino = st.st_ino;
	maildir_new_name(&stamp, name, sizeof(name));
	snprintf(new, sizeof(new), "%snew/%s", path, name);
	if (rename(tmp, new) < 0) {
		verdict_errno(v, errno, "create maildir file %s", new);
		goto drop;
	}
	snprintf(folder, sizeof(folder), "%snew", path);
	if (sync_folder(folder) < 0) {
		verdict_errno(v, errno, "sync %s", folder);
		unlink(new);
	} else {
		verdict_set(v, OUTCOME_SENT, "2.0.0", "delivered to maildir");
	}
	close(fd);
	return;
drop:
	unlink(tmp);
	close(fd);
}

void maildir_deliver(const struct delivery *d, const char *path, const struct local_user *user,
    bool in_spool, struct verdict *verdict)
{
	struct err err;

	if (agent_only_verifies(d->job)) {
		verdict_set(verdict, OUTCOME_SENT, "2.0.0", "delivers to maildir");
		return;
	}
	if (identity_enter(user, &err) < 0) {
		verdict_set(verdict, OUTCOME_DEFERRED, "4.3.0", "%s", err.text);
	} else {
		store(d, path, user, in_spool, verdict);
		identity_leave();
	}
	if (verdict->outcome != OUTCOME_SENT)
		verdict_prefix(verdict, "maildir delivery failed: ");
}
