/* SPDX-License-Identifier: ISC */
/*
 * Reading LMDB files as Postfix makes them: one file NAME.lmdb, no sub-folder, no lock file; keys
 * and values with a trailing zero byte or without. Postfix's writers and readers agree by locks on
 * the file; ours never change a file in place (build.h), so a reader needs no lock at all: it opens
 * read-only, asks in short transactions, and table.c opens the file anew when it was replaced or
 * changed. Without a lock file there are no stale readers, and an unprivileged process can read
 * what root made. An open environment must not cross a fork: a child opens its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/table/lmdb_private.h"
#include "lib/table/type.h"

enum { LAST_PAGE_MAX = 1 << 28 }; /* 1 TiB; more is no number that was meant */

struct lmdb_table {
	char *path;
	pid_t owner;
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn;    /* a reset read transaction, renewed for each lookup */
	bool zero_ended; /* keys have a trailing zero byte */
	MDB_txn *walk_txn;
	MDB_cursor *walk;
};

char *lmdb_path(const char *name)
{
	size_t len = strlen(name), suffix = strlen(LMDB_SUFFIX);

	/* "lmdb:/etc/aliases.lmdb" is a common slip that means the same file */
	if (len > suffix && strcmp(name + len - suffix, LMDB_SUFFIX) == 0)
		return alloc_strdup(name);
	return alloc_printf("%s%s", name, LMDB_SUFFIX);
}

static void end_walk(struct lmdb_table *t)
{
	if (t->walk)
		mdb_cursor_close(t->walk);
	if (t->walk_txn)
		mdb_txn_abort(t->walk_txn);
	t->walk = NULL;
	t->walk_txn = NULL;
}

static void close_env(struct lmdb_table *t)
{
	end_walk(t);
	if (t->txn)
		mdb_txn_abort(t->txn);
	t->txn = NULL;
	if (t->env)
		mdb_env_close(t->env);
	t->env = NULL;
}

int lmdb_fail(struct err *err, const char *what, const char *path, int rc)
{
	return err_set(err, rc > 0 ? rc : EIO, "%s %s: %s", what, path, mdb_strerror(rc));
}

int lmdb_learn_form(MDB_txn *txn, MDB_dbi dbi, bool *zero_ended)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc = mdb_cursor_open(txn, dbi, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	mdb_cursor_close(cursor);
	if (rc == 0)
		*zero_ended =
		    key.mv_size > 0 && ((const char *)key.mv_data)[key.mv_size - 1] == '\0';
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int open_file(struct lmdb_table *t, const char *path)
{
	int rc = mdb_env_create(&t->env);

	return rc ? rc : mdb_env_open(t->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0644);
}

/*
 * A file may lack pages at its end that are free; in one that was cut off others are missing too,
 * and to touch them in the library's mapping of the file would be a bus error. So a copy of a short
 * file is read, with zeros behind it: missing pages that matter are then an error of the lookup.
 */
static int complete(struct lmdb_table *t)
{
	MDB_envinfo info;
	MDB_stat pages;
	struct stat st;
	char path[32];
	int rc, from, fd;
	size_t need;

	if ((rc = mdb_env_info(t->env, &info)) != 0 || (rc = mdb_env_stat(t->env, &pages)) != 0 ||
	    (rc = mdb_env_get_fd(t->env, &from)) != 0)
		return rc;
	if (fstat(from, &st) < 0)
		return errno;
	if (info.me_last_pgno >= LAST_PAGE_MAX)
		return MDB_CORRUPTED;
	need = (info.me_last_pgno + 1) * pages.ms_psize;
	if ((size_t)st.st_size >= need)
		return 0;
	fd = memfd_create("table", MFD_CLOEXEC);
	if (fd < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (off_t at = 0; rc == 0 && at < st.st_size;)
		if (sendfile(fd, from, &at, (size_t)(st.st_size - at)) <= 0)
			rc = errno ? errno : EIO;
	if (rc == 0 && ftruncate(fd, (off_t)need) < 0)
		rc = errno;
	close_env(t);
	if (rc == 0)
		rc = open_file(t, path);
	close(fd);
	return rc;
}

static int open_env(struct lmdb_table *t, struct err *err)
{
	int rc = open_file(t, t->path);

	if (rc == 0)
		rc = complete(t);
	if (rc != 0) {
		lmdb_fail(err, "open", t->path, rc);
		goto fail;
	}
	rc = mdb_txn_begin(t->env, NULL, MDB_RDONLY, &t->txn);
	if (rc == 0)
		rc = mdb_dbi_open(t->txn, NULL, 0, &t->dbi);
	if (rc == 0)
		rc = lmdb_learn_form(t->txn, t->dbi, &t->zero_ended);
	if (rc != 0) {
		lmdb_fail(err, "read", t->path, rc);
		goto fail;
	}
	mdb_txn_reset(t->txn);
	t->owner = getpid();
	return 0;
fail:
	close_env(t);
	return -1;
}

/* What to do about a missing file: the one thing that everybody meets. */
static void explain_missing(const char *name, const char *path, struct err *err)
{
	const char *slash = strrchr(name, '/');
	/* the source of one has another form */
	bool aliases = strncmp(slash ? slash + 1 : name, "aliases", 7) == 0;
	const char *maker = aliases ? "postalias" : "postmap";
	char *db = alloc_printf("%s.db", name);

	if (access(db, F_OK) == 0)
		err_set(err, ENOENT,
		    "open %s: %s; %s is a Berkeley DB file, which is not read: run "
		    "`%s lmdb:%s`",
		    path, strerror(ENOENT), db, maker, name);
	else
		err_set(err, ENOENT, "open %s: %s; run `%s lmdb:%s`", path, strerror(ENOENT), maker,
		    name);
	free(db);
}

static void warn_if_older(const char *name, const char *path)
{
	struct stat source, index;

	if (stat(name, &source) == 0 && stat(path, &index) == 0 && S_ISREG(source.st_mode) &&
	    (source.st_mtim.tv_sec > index.st_mtim.tv_sec ||
	        (source.st_mtim.tv_sec == index.st_mtim.tv_sec &&
	            source.st_mtim.tv_nsec > index.st_mtim.tv_nsec)))
		log_warn("database %s is older than source file %s", path, name);
}

static void lmdb_table_close(void *state)
{
	struct lmdb_table *t = state;

	close_env(t);
	free(t->path);
	free(t);
}

static int lmdb_table_open(
    const char *name, int flags, int depth, void **state_out, struct err *err)
{
	struct lmdb_table *t = alloc_zero(1, sizeof(*t));

	(void)flags;
	(void)depth;
	t->path = lmdb_path(name);
	if (access(t->path, F_OK) < 0 && errno == ENOENT) {
		explain_missing(name, t->path, err);
		goto fail;
	}
	if (open_env(t, err) < 0)
		goto fail;
	warn_if_older(name, t->path);
	*state_out = t;
	return 0;
fail:
	lmdb_table_close(t);
	return -1;
}

/* Makes the environment this process's own and current. */
static int prepare(struct lmdb_table *t, struct err *err)
{
	if (t->env && t->owner != getpid())
		close_env(t);
	if (!t->env)
		return open_env(t, err);
	return 0;
}

static int renew(struct lmdb_table *t, struct err *err)
{
	int rc;

	if (prepare(t, err) < 0)
		return -1;
	rc = mdb_txn_renew(t->txn);
	if (rc == MDB_MAP_RESIZED) { /* another program has made the file larger */
		close_env(t);
		if (open_env(t, err) < 0)
			return -1;
		rc = mdb_txn_renew(t->txn);
	}
	if (rc != 0) {
		close_env(t);
		return lmdb_fail(err, "read", t->path, rc);
	}
	return 0;
}

MDB_val lmdb_val(const char *data, size_t len)
{
	union {
		const char *in;
		void *out;
	} pointer = {data};

	return (MDB_val){len, pointer.out};
}

static void put_value(struct str *out, const MDB_val *value)
{
	const char *data = value->mv_data;
	size_t len = value->mv_size;

	if (len > 0 && data[len - 1] == '\0')
		len--;
	str_put(out, data, len);
}

static enum table_answer lmdb_table_get(
    void *state, const char *key, struct str *out, struct err *err)
{
	struct lmdb_table *t = state;
	MDB_val k, v;
	int rc;

	if (renew(t, err) < 0)
		return TABLE_ERROR;
	k = lmdb_val(key, strlen(key) + (t->zero_ended ? 1 : 0));
	if (k.mv_size == 0 || k.mv_size > (size_t)mdb_env_get_maxkeysize(t->env))
		rc = MDB_NOTFOUND;
	else
		rc = mdb_get(t->txn, t->dbi, &k, &v);
	if (rc == 0)
		put_value(out, &v);
	mdb_txn_reset(t->txn);
	if (rc == 0)
		return TABLE_FOUND;
	if (rc == MDB_NOTFOUND)
		return TABLE_NOT_FOUND;
	lmdb_fail(err, "read", t->path, rc);
	return TABLE_ERROR;
}

static int lmdb_table_next(
    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	struct lmdb_table *t = state;
	MDB_val key, value;
	int rc = 0;

	if (first) {
		if (prepare(t, err) < 0)
			return -1;
		end_walk(t);
		/* the transaction for lookups is another one: without locks both may live */
		rc = mdb_txn_begin(t->env, NULL, MDB_RDONLY, &t->walk_txn);
		if (rc == 0)
			rc = mdb_cursor_open(t->walk_txn, t->dbi, &t->walk);
	}
	if (rc == 0)
		rc = t->walk ? mdb_cursor_get(t->walk, &key, &value, first ? MDB_FIRST : MDB_NEXT)
		             : MDB_NOTFOUND;
	if (rc == 0) {
		put_value(key_out, &key);
		put_value(value_out, &value);
		return 1;
	}
	end_walk(t);
	return rc == MDB_NOTFOUND ? 0 : lmdb_fail(err, "read", t->path, rc);
}

const struct table_type table_type_lmdb = {
    .name = "lmdb",
    .file = lmdb_path,
    .open = lmdb_table_open,
    .get = lmdb_table_get,
    .next = lmdb_table_next,
    .close = lmdb_table_close,
};
