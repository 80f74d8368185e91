/* SPDX-License-Identifier: ISC */
#include "local/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "lib/table/table.h"

enum { LIST_MAX = 16 * 1024 * 1024 };

enum source_answer source_alias(struct delivery *d, const char *name, struct str *out,
    const struct local_alias_map **map_out, struct verdict *v)
{
	struct err err = {0};

	for (size_t i = 0; i < d->local->map_count; i++) {
		const struct local_alias_map *map = &d->local->maps[i];
		enum table_answer got =
		    map->table ? table_get(map->table, name, out, &err) : TABLE_ERROR;

		if (got == TABLE_FOUND) {
			*map_out = map;
			return SOURCE_FOUND;
		}
		if (got == TABLE_ERROR) {
			log_warn("%s: alias lookup of %s: %s", d->job->request->id, name,
			    err.text[0] ? err.text : "table is not open");
			verdict_set(v, OUTCOME_DEFERRED, "4.3.0", "alias database unavailable");
			return SOURCE_FAILED;
		}
	}
	return SOURCE_NONE;
}

/* The whole of a file that is open, checked already. */
static int read_list(int fd, struct str *out)
{
	char buf[64 * 1024];
	ssize_t n;

	str_clear(out);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		str_put(out, buf, (size_t)n);
		if (out->len > LIST_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
	return 0;
}

/* A .forward file that others could have written is not obeyed. */
static bool is_trustworthy(const char *path, const struct stat *st, const struct local_user *user)
{
	const char *why = NULL;

	if (!S_ISREG(st->st_mode))
		why = "not a regular file";
	else if (st->st_uid != user->uid && st->st_uid != 0)
		why = "it belongs to another user";
	else if (st->st_mode & S_IWOTH)
		why = "everyone may write to it";
	if (why)
		log_warn("file %s of user %s is not used: %s", path, user->name, why);
	return why == NULL;
}

/* With the user's rights. */
static enum source_answer read_forward(
    const char *path, const struct local_user *user, struct str *out, struct verdict *v)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
			return SOURCE_NONE;
		verdict_errno(v, errno, "cannot look for %s", path);
		v->outcome = OUTCOME_DEFERRED;
		return SOURCE_FAILED;
	}
	if (S_ISREG(st.st_mode) && !is_trustworthy(path, &st, user))
		return SOURCE_NONE;
	/* What the user wanted is known to exist and not known to us: mail waits. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		verdict_set(
		    v, OUTCOME_DEFERRED, "4.3.0", "cannot open file %s: %s", path, strerror(errno));
		fd_close(&fd);
		return SOURCE_FAILED;
	}
	if (!is_trustworthy(path, &st, user)) {
		close(fd);
		return SOURCE_NONE;
	}
	if (read_list(fd, out) < 0) {
		verdict_set(
		    v, OUTCOME_DEFERRED, "4.3.0", "cannot read file %s: %s", path, strerror(errno));
		close(fd);
		return SOURCE_FAILED;
	}
	close(fd);
	return SOURCE_FOUND;
}

static const char *forward_paths(
    struct delivery *d, const struct local_user *user, struct verdict *v)
{
	const struct local_params *p = &d->local->params;
	struct err err;
	const char *text =
	    delivery_expand(d, user, p->forward_path, p->forward_expansion_filter, &err);

	if (!text) {
		log_warn("forward_path: %s", err.text);
		verdict_set(v, OUTCOME_DEFERRED, "4.3.5", "mail system configuration error");
	}
	return text;
}

/*
 * Without root's rights only the own .forward file counts: what another user's says would be done
 * with the rights of this one.
 */
enum source_answer source_forward(struct delivery *d, const struct local_user *user,
    struct str *out, const char **path_out, struct verdict *v)
{
	enum source_answer got = SOURCE_NONE;
	const char *paths, *before = "";
	struct err err;

	if (!identity_is_root() && user->uid != geteuid())
		return SOURCE_NONE;
	paths = forward_paths(d, user, v);
	if (!paths)
		return SOURCE_FAILED;
	if (identity_enter(user, &err) < 0) {
		verdict_set(v, OUTCOME_DEFERRED, "4.3.0", "%s", err.text);
		return SOURCE_FAILED;
	}
	while (got == SOURCE_NONE) {
		size_t len;

		paths += strspn(paths, ", \t\r\n");
		len = strcspn(paths, ", \t\r\n");
		if (len == 0)
			break;
		*path_out = arena_strndup(d->arena, paths, len);
		paths += len;
		/* Without an extension the default names the same file twice. */
		if (**path_out == '/' && !strstr(*path_out, "/../") &&
		    strcmp(*path_out, before) != 0)
			got = read_forward(*path_out, user, out, v);
		before = *path_out;
	}
	identity_leave();
	return got;
}

static enum source_answer include_failed(const char *path, const char *why, struct verdict *v)
{
	verdict_set(v, OUTCOME_DEFERRED, "4.2.4", "cannot read :include: file %s: %s", path, why);
	return SOURCE_FAILED;
}

static enum source_answer read_include(struct delivery *d, const char *path, struct str *out,
    struct local_user *owner_out, struct verdict *v)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum source_answer answer = SOURCE_FOUND;
	struct stat st;
	struct err err;

	if (fd < 0 || fstat(fd, &st) < 0)
		answer = include_failed(path, strerror(errno), v);
	else if (!S_ISREG(st.st_mode))
		answer = include_failed(path, "not a regular file", v);
	else if (st.st_mode & S_IWOTH)
		answer = include_failed(path, "everyone may write to it", v);
	else if (identity_find_uid(st.st_uid, d->arena, owner_out, &err) != 1)
		answer = include_failed(path, "its owner is not known", v);
	else if (read_list(fd, out) < 0)
		answer = include_failed(path, strerror(errno), v);
	fd_close(&fd);
	return answer;
}

enum source_answer source_include(struct delivery *d, const char *path,
    const struct local_user *rights, struct str *out, struct local_user *owner_out,
    struct verdict *v)
{
	enum source_answer answer;
	struct err err;

	if (*path != '/')
		return include_failed(path, "the name does not begin with '/'", v);
	/* root would follow a link, in whosever folder the list is, to a file that nobody may read
	 */
	if (!identity_is_root())
		return read_include(d, path, out, owner_out, v);
	if (!rights || rights->uid == 0)
		rights = d->local->has_default_user ? &d->local->default_user : NULL;
	if (!rights)
		return include_failed(path, "default_privs: no such user", v);
	if (identity_enter(rights, &err) < 0)
		return include_failed(path, err.text, v);
	answer = read_include(d, path, out, owner_out, v);
	identity_leave();
	return answer;
}
