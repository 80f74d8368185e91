/* SPDX-License-Identifier: ISC */
/*
 * Always the same three steps: a new file beside the index (empty, or a copy of it), one LMDB
 * transaction on it, rename. The map is sized for the source at hand; should that not do, all is
 * done again with twice the size. Two who change the same index take turns by the lock on the old
 * file that Postfix's programs take, too.
 */
#include "lib/table/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"
#include "lib/table/alias.h"
#include "lib/table/entry.h"
#include "lib/table/lmdb.h"
#include "lib/table/type.h"

enum { MAP_DEFAULT = 16 << 20, TRIES_MAX = 12 };

/* One change of one index. */
struct build {
	const char *name;   /* of the table, for messages and as the source's path */
	const char *origin; /* where the entries come from */
	const struct build_options *options;
	struct slice text;        /* entries to add */
	const struct slice *keys; /* or keys to remove */
	size_t key_count, removed;
	bool from_old; /* start from a copy of the old index */
	bool must_exist;
	char *path, *part; /* the index, and the file that becomes it */
	int old_fd;        /* locked while it is copied; -1 */
	uint64_t map_size;
	struct stat mode_from; /* owner and mode of the new file */
	bool has_mode, has_owner;
};

int build_split_name(const char *type_and_name, const char **name_out, struct err *err)
{
	static const char *const types[] = {"lmdb:", "hash:", "btree:", "dbm:"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t len = strlen(types[i]);

		if (strncmp(type_and_name, types[i], len) == 0 && type_and_name[len]) {
			*name_out = type_and_name + len;
			return 0;
		}
	}
	return err_set(err, EINVAL, "%s: tables of this type have no index to build; lmdb: has",
	    type_and_name);
}

/* The content of the files that a value names (-F), in base64. */
static int read_value_files(struct slice value, struct str *out, struct err *err)
{
	char *list = alloc_strndup(value.data, value.len), *path;
	struct str content = {0};
	const char *cursor = list;
	struct slice item;
	bool first = true;
	int rc = 0;

	while (rc == 0 && table_list_next(&cursor, &item)) {
		if (!first)
			str_put_char(&content, '\n');
		first = false;
		path = alloc_strndup(item.data, item.len);
		rc = fd_read_file(path, TABLE_FILE_MAX, &content, err);
		free(path);
	}
	if (rc == 0)
		base64_encode(out, content.data, content.len);
	str_fini(&content);
	free(list);
	return rc;
}

static void warn_if_alias(const struct build *b, int line, struct slice key)
{
	if (key.len > 0 && key.data[key.len - 1] == ':')
		log_warn("%s, line %d: record is in \"key: value\" format; is this an alias file?",
		    b->origin, line);
}

static enum lmdb_result put_entry(const struct build *b, struct lmdb_writer *w, int line,
    struct slice key, struct slice value, struct err *err)
{
	bool replace = b->options->duplicates == BUILD_REPLACE;
	char *folded = alloc_strndup(key.data, key.len);
	enum lmdb_result result;

	if (!b->options->keep_case)
		text_lower(folded);
	result = lmdb_writer_put(w, slice_text(folded), value, replace, err);
	if (result == LMDB_EXISTS && b->options->duplicates == BUILD_WARN)
		log_warn("%s, line %d: duplicate entry: \"%s\"", b->origin, line, folded);
	if (result == LMDB_ERROR && err->code == EINVAL) { /* this entry alone is bad */
		log_warn("%s, line %d: %s", b->origin, line, err->text);
		result = LMDB_DONE;
	}
	free(folded);
	return result == LMDB_EXISTS ? LMDB_DONE : result;
}

static enum lmdb_result add_line(
    const struct build *b, struct lmdb_writer *w, struct slice text, int line, struct err *err)
{
	struct str name = {0}, value = {0};
	struct slice key = {0}, content = {0};
	enum lmdb_result result = LMDB_DONE;
	int rc;

	if (b->options->alias) {
		rc = alias_parse(text, &name, &value, err);
		key = slice_of(str_text(&name), name.len);
		content = slice_of(str_text(&value), value.len);
	} else {
		rc = entry_parse(text, &key, &content, err);
	}
	if (rc == 0 && !b->options->alias)
		warn_if_alias(b, line, key);
	if (rc == 0 && b->options->files) {
		rc = read_value_files(content, &value, err);
		content = slice_of(str_text(&value), value.len);
	}
	if (rc < 0)
		log_warn("%s, line %d: %s", b->origin, line, err->text);
	else
		result = put_entry(b, w, line, key, content, err);
	str_fini(&name);
	str_fini(&value);
	return result;
}

/* What sendmail's clients and NIS look for in an alias index: "@", and when it was made where. */
static enum lmdb_result put_alias_marks(struct lmdb_writer *w, struct err *err)
{
	char host[256] = "localhost", now[32];
	const char *const marks[][2] = {
	    {"@", "@"}, {"YP_LAST_MODIFIED", now}, {"YP_MASTER_NAME", host}};
	enum lmdb_result result = LMDB_DONE;

	gethostname(host, sizeof(host) - 1);
	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	for (size_t i = 0; i < ARRAY_LEN(marks) && result == LMDB_DONE; i++)
		result =
		    lmdb_writer_put(w, slice_text(marks[i][0]), slice_text(marks[i][1]), true, err);
	return result;
}

static enum lmdb_result write_all(struct build *b, struct lmdb_writer *w, struct err *err)
{
	struct lines lines = {.text = b->text.data, .len = b->text.len};
	enum lmdb_result result = LMDB_DONE;
	struct slice line;

	while (result == LMDB_DONE && lines_next(&lines, &line)) {
		if (lines.orphan)
			log_warn("%s, line %d: a logical line must not start with white space",
			    b->origin, lines.start_line);
		result = add_line(b, w, line, lines.start_line, err);
	}
	lines_fini(&lines);
	b->removed = 0;
	for (size_t i = 0; i < b->key_count && result == LMDB_DONE; i++) {
		result = lmdb_writer_remove(w, b->keys[i], err);
		b->removed += result == LMDB_DONE;
		if (result == LMDB_ABSENT || (result == LMDB_ERROR && err->code == EINVAL))
			result = LMDB_DONE; /* a key that cannot be is not there */
	}
	if (result == LMDB_DONE && b->options->alias)
		result = put_alias_marks(w, err);
	return result;
}

/* Opens the old index and waits for the lock on it; -1 and ENOENT when there is none. */
static int lock_old(struct build *b)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (;;) {
		struct stat held, named;

		b->old_fd = open(b->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (b->old_fd < 0)
			return -1;
		while (fcntl(b->old_fd, F_SETLKW, &lock) < 0) {
			if (errno != EINTR)
				return -1;
		}
		/* who had the lock before may have put another file in its place */
		if (fstat(b->old_fd, &held) == 0 && stat(b->path, &named) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
			b->mode_from = held;
			b->has_mode = b->has_owner = true;
			return 0;
		}
		fd_close(&b->old_fd);
	}
}

static int copy_old(const struct build *b, int to, struct err *err)
{
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = fd_pread_full(b->old_fd, buf, sizeof(buf), at)) > 0) {
		if (fd_write_all(to, buf, (size_t)n) < 0)
			return err_sys(err, "write %s", b->part);
		at += n;
	}
	return n < 0 ? err_sys(err, "read %s", b->path) : 0;
}

static int make_part(const struct build *b, struct err *err)
{
	int fd, rc = 0;

	unlink(b->part);
	fd = open(b->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "create %s", b->part);
	if (b->from_old && b->old_fd >= 0)
		rc = copy_old(b, fd, err);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, "write %s", b->part);
	return rc;
}

/* The owner may not be ours to give: then the index is the caller's, as any file it makes. */
static int take_place(const struct build *b, struct err *err)
{
	mode_t mode = b->has_mode && !(b->options->plain_mode && !b->has_owner)
	                  ? b->mode_from.st_mode & 0666
	                  : 0644;
	char *folder = alloc_strdup(b->path), *slash = strrchr(folder, '/');
	int fd, rc = 0;

	if (b->has_mode && (b->mode_from.st_uid != geteuid() || b->mode_from.st_gid != getegid()) &&
	    chown(b->part, b->mode_from.st_uid, b->mode_from.st_gid) < 0 && geteuid() == 0)
		log_warn("chown %s: %s", b->part, strerror(errno));
	if (chmod(b->part, mode) < 0)
		rc = err_sys(err, "chmod %s", b->part);
	else if (rename(b->part, b->path) < 0)
		rc = err_sys(err, "rename %s to %s", b->part, b->path);
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
	return rc;
}

static int try_once(struct build *b, bool *full_out, struct err *err)
{
	struct lmdb_writer *w = NULL;
	enum lmdb_result result;

	*full_out = false;
	if (make_part(b, err) < 0 ||
	    lmdb_writer_open(b->part, b->map_size, !b->options->no_zero, &w, err) < 0)
		return -1;
	result = write_all(b, w, err);
	if (result == LMDB_DONE)
		result = lmdb_writer_commit(&w, err);
	else
		lmdb_writer_abort(&w);
	*full_out = result == LMDB_FULL;
	return result == LMDB_DONE ? 0 : -1;
}

static int run(struct build *b, struct err *err)
{
	bool full;
	char *real;
	int rc;

	b->path = lmdb_path(b->name);
	real = realpath(b->path, NULL); /* a symbolic link stays one */
	if (real) {
		free(b->path);
		b->path = real;
	}
	b->part = alloc_printf("%s.%ld.new", b->path, (long)getpid());
	b->old_fd = -1;
	if (lock_old(b) < 0 && (errno != ENOENT || b->must_exist)) {
		rc = err_sys(err, "open database %s", b->path);
		goto out;
	}
	b->map_size = b->options->map_size ? b->options->map_size : MAP_DEFAULT;
	/* short entries take up to some 30 times their text; address space is cheap */
	b->map_size += (uint64_t)b->text.len * 32;
	if (b->from_old && b->old_fd >= 0)
		b->map_size += (uint64_t)b->mode_from.st_size * 2;
	for (int i = 0; i < TRIES_MAX; i++) {
		rc = try_once(b, &full, err);
		if (!full)
			break;
		b->map_size *= 2;
		err_set(err, ENOSPC, "%s: the index does not fit into %llu bytes", b->path,
		    (unsigned long long)b->map_size);
	}
	if (rc == 0 && b->key_count > 0 && b->removed == 0)
		unlink(b->part); /* nothing has changed */
	else if (rc == 0)
		rc = take_place(b, err);
	if (rc < 0)
		unlink(b->part);
out:
	fd_close(&b->old_fd);
	free(b->path);
	free(b->part);
	return rc;
}

/* May only root change what is in the folder of this file? */
static bool folder_is_roots(const char *path)
{
	char *folder = alloc_strdup(path), *slash = strrchr(folder, '/');
	struct stat st;
	bool answer;

	if (slash)
		slash[slash == folder] = '\0';
	answer = stat(slash ? folder : ".", &st) == 0 && st.st_uid == 0 &&
	         (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
	free(folder);
	return answer;
}

/*
 * Root acts as the source's owner in a folder that this owner, or others, can change: what they
 * put there must not make root write elsewhere.
 */
static bool act_as_owner(const struct build *b, const struct stat *source)
{
	if (geteuid() != 0 || source->st_uid == 0 || b->options->keep_privilege ||
	    folder_is_roots(b->name))
		return false;
	if (setegid(source->st_gid) < 0 || seteuid(source->st_uid) < 0)
		fatal("act as the owner of %s: %s", b->name, strerror(errno));
	return true;
}

static int run_as_owner(struct build *b, const struct stat *source, struct err *err)
{
	bool acting = source && act_as_owner(b, source);
	int rc;

	if (source) {
		b->mode_from = *source;
		b->has_mode = true;
	}
	rc = run(b, err);
	if (acting && (seteuid(0) < 0 || setegid(getgid()) < 0))
		fatal("become root again: %s", strerror(errno));
	return rc;
}

int build_index(const char *type_and_name, const struct build_options *options, struct err *err)
{
	struct build b = {.options = options};
	struct str text = {0};
	struct stat st;
	int rc = -1;

	if (build_split_name(type_and_name, &b.name, err) < 0)
		return -1;
	b.origin = b.name;
	if (fd_read_file(b.name, TABLE_FILE_MAX, &text, err) == 0) {
		b.text = slice_of(str_text(&text), text.len);
		rc =
		    stat(b.name, &st) < 0 ? err_sys(err, "%s", b.name) : run_as_owner(&b, &st, err);
	}
	str_fini(&text);
	return rc;
}

int build_add(const char *type_and_name, struct slice text, const char *origin,
    const struct build_options *options, struct err *err)
{
	struct build b = {.options = options, .origin = origin, .text = text, .from_old = true};
	struct stat st;

	if (build_split_name(type_and_name, &b.name, err) < 0)
		return -1;
	return run_as_owner(&b, stat(b.name, &st) == 0 ? &st : NULL, err);
}

int build_remove(const char *type_and_name, const struct slice *keys, size_t count,
    const struct build_options *options, size_t *removed_out, struct err *err)
{
	struct build b = {.options = options,
	    .keys = keys,
	    .key_count = count,
	    .from_old = true,
	    .must_exist = true};
	struct stat st;
	int rc;

	if (build_split_name(type_and_name, &b.name, err) < 0)
		return -1;
	rc = run_as_owner(&b, stat(b.name, &st) == 0 ? &st : NULL, err);
	*removed_out = b.removed;
	return rc;
}
