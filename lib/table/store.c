/* SPDX-License-Identifier: ISC */
/*
 * One write transaction gathers changes until table_store_commit; reads go through it when it is
 * open. Nothing is synced: the cache may be lost, but LMDB's pages are written in an order that a
 * dead process cannot spoil.
 */
#include "lib/table/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "lib/table/lmdb.h"

struct table_store {
	char *path;
	uint64_t max_bytes;
	int lock; /* an own descriptor: LMDB's file may be made anew */
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn; /* NULL: nothing gathered */
};

static int store_fail(struct table_store *s, const char *what, int rc, struct err *err)
{
	return err_set(err, rc > 0 ? rc : EIO, "%s %s: %s", what, s->path, mdb_strerror(rc));
}

static MDB_val val_of(struct slice bytes)
{
	union {
		const char *in;
		void *out;
	} pointer = {bytes.data};

	return (MDB_val){bytes.len, pointer.out};
}

static void close_env(struct table_store *s)
{
	if (s->txn)
		mdb_txn_abort(s->txn);
	s->txn = NULL;
	if (s->env)
		mdb_env_close(s->env);
	s->env = NULL;
}

static int begin(struct table_store *s)
{
	return s->txn ? 0 : mdb_txn_begin(s->env, NULL, 0, &s->txn);
}

static int try_open(struct table_store *s)
{
	int rc = mdb_env_create(&s->env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, (size_t)s->max_bytes);
	if (rc == 0)
		rc = mdb_env_open(
		    s->env, s->path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
	if (rc == 0)
		rc = begin(s);
	if (rc == 0)
		rc = mdb_dbi_open(s->txn, NULL, MDB_CREATE, &s->dbi);
	if (rc != 0)
		close_env(s);
	return rc;
}

/* Pages beyond the end of a file that was cut off would be a bus error, so its size is looked at.
 */
static bool is_whole(struct table_store *s)
{
	MDB_envinfo info;
	MDB_stat pages;
	off_t size = lseek(s->lock, 0, SEEK_END);

	if (mdb_env_info(s->env, &info) != 0 || mdb_env_stat(s->env, &pages) != 0)
		return false;
	return size == 0 || size / pages.ms_psize > (off_t)info.me_last_pgno;
}

static int open_anew(struct table_store *s, struct err *err)
{
	int rc;

	close_env(s);
	if (ftruncate(s->lock, 0) < 0)
		return err_sys(err, "empty %s", s->path);
	rc = try_open(s);
	return rc == 0 ? 0 : store_fail(s, "open", rc, err);
}

static int open_env(struct table_store *s, struct err *err)
{
	int rc = try_open(s);

	if (rc == 0 && is_whole(s))
		return 0;
	if (rc == EACCES || rc == ENOSPC || rc == EROFS || rc == ENOMEM)
		return store_fail(s, "open", rc, err);
	log_warn("%s is damaged (%s) and is made anew", s->path,
	    rc == 0 ? "it was cut off" : mdb_strerror(rc));
	return open_anew(s, err);
}

int table_store_open(
    const char *type_and_name, uint64_t max_bytes, struct table_store **store_out, struct err *err)
{
	static const char *const types[] = {"lmdb", "hash", "btree", "dbm"};
	const char *colon = strchr(type_and_name, ':');
	struct slice type = slice_of(type_and_name, colon ? (size_t)(colon - type_and_name) : 0);
	struct table_store *s;
	size_t i = 0;

	*store_out = NULL;
	while (i < ARRAY_LEN(types) && !slice_eq(type, types[i]))
		i++;
	if (i == ARRAY_LEN(types) || colon[1] != '/')
		return err_set(
		    err, 0, "\"%s\": expected lmdb: and an absolute path", type_and_name);
	s = alloc_zero(1, sizeof(*s));
	s->path = lmdb_path(colon + 1);
	s->max_bytes = max_bytes;
	s->lock = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		err_sys(err, "open %s", s->path);
	else if (fd_lock(s->lock, false) != 0)
		err_set(err, EBUSY, "%s: another program has it open", s->path);
	else if (open_env(s, err) == 0)
		*store_out = s;
	if (!*store_out)
		table_store_close(&s);
	return *store_out ? 0 : -1;
}

void table_store_close(struct table_store **store)
{
	struct table_store *s = *store;

	if (!s)
		return;
	if (s->txn)
		table_store_commit(s, NULL);
	close_env(s);
	fd_close(&s->lock);
	free(s->path);
	free(s);
	*store = NULL;
}

enum table_answer table_store_get(
    struct table_store *s, struct slice key, struct str *out, struct err *err)
{
	MDB_val k = val_of(key), v;
	int rc = key.len == 0 || key.len > TABLE_STORE_KEY_MAX ? MDB_NOTFOUND : begin(s);

	str_clear(out);
	if (rc == 0)
		rc = mdb_get(s->txn, s->dbi, &k, &v);
	if (rc == MDB_NOTFOUND)
		return TABLE_NOT_FOUND;
	if (rc != 0) {
		store_fail(s, "read", rc, err);
		return TABLE_ERROR;
	}
	str_put(out, v.mv_data, v.mv_size);
	return TABLE_FOUND;
}

/* Without its name, which a chroot may have taken out of reach. */
static int forget_all(struct table_store *s, struct err *err)
{
	int rc;

	mdb_txn_abort(s->txn);
	s->txn = NULL;
	rc = begin(s);
	if (rc == 0)
		rc = mdb_drop(s->txn, s->dbi, 0);
	if (rc == 0) {
		rc = mdb_txn_commit(s->txn);
		s->txn = NULL;
	}
	if (rc == 0)
		rc = begin(s);
	return rc == 0 ? 0 : open_anew(s, err);
}

int table_store_put(struct table_store *s, struct slice key, struct slice value, struct err *err)
{
	MDB_val k = val_of(key), v = val_of(value);
	int rc = begin(s);

	if (key.len == 0 || key.len > TABLE_STORE_KEY_MAX)
		return err_set(err, EINVAL, "%s: a key of %zu bytes", s->path, key.len);
	if (rc == 0)
		rc = mdb_put(s->txn, s->dbi, &k, &v, 0);
	if (rc == MDB_MAP_FULL) {
		log_warn("%s is full: what it held is forgotten", s->path);
		if (forget_all(s, err) < 0)
			return -1;
		rc = mdb_put(s->txn, s->dbi, &k, &v, 0);
	}
	if (rc == 0)
		return 0;
	if (s->txn) /* one that failed can only be given up */
		mdb_txn_abort(s->txn);
	s->txn = NULL;
	return store_fail(s, "write", rc, err);
}

int table_store_remove(struct table_store *s, struct slice key, struct err *err)
{
	MDB_val k = val_of(key);
	int rc = key.len == 0 || key.len > TABLE_STORE_KEY_MAX ? MDB_NOTFOUND : begin(s);

	if (rc == 0)
		rc = mdb_del(s->txn, s->dbi, &k, NULL);
	return rc == 0 || rc == MDB_NOTFOUND ? 0 : store_fail(s, "write", rc, err);
}

int table_store_walk(struct table_store *s, struct str *place, size_t limit,
    bool (*fn)(struct slice key, struct slice value, void *arg), void *arg, struct err *err)
{
	MDB_val key = val_of(slice_of(str_text(place), place->len)), value;
	MDB_cursor *cursor = NULL;
	int rc = begin(s);

	if (rc == 0)
		rc = mdb_cursor_open(s->txn, s->dbi, &cursor);
	if (rc == 0)
		rc = mdb_cursor_get(cursor, &key, &value, place->len ? MDB_SET_RANGE : MDB_FIRST);
	for (; rc == 0 && limit > 0; limit--) {
		if (!fn(slice_of(key.mv_data, key.mv_size), slice_of(value.mv_data, value.mv_size),
		        arg))
			rc = mdb_cursor_del(cursor, 0);
		if (rc == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	str_clear(place);
	if (rc == 0)
		str_put(place, key.mv_data, key.mv_size);
	if (cursor)
		mdb_cursor_close(cursor);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc == 0 ? 1 : store_fail(s, "read", rc, err);
}

int table_store_commit(struct table_store *s, struct err *err)
{
	int rc = s->txn ? mdb_txn_commit(s->txn) : 0;

	s->txn = NULL;
	return rc == 0 ? 0 : store_fail(s, "write", rc, err);
}
