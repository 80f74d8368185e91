/* SPDX-License-Identifier: ISC */
/*
 * Writing one LMDB file, in the form that it has: for those who build an index and give it its name
 * when it is complete.
 */
#include "lib/table/lmdb_private.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/alloc.h"

struct lmdb_writer {
	char *path;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	bool zero_end;
	struct str key, value; /* room for the zero byte */
};

void lmdb_writer_abort(struct lmdb_writer **writer)
{
	struct lmdb_writer *w = *writer;

	if (!w)
		return;
	if (w->txn)
		mdb_txn_abort(w->txn);
	if (w->env)
		mdb_env_close(w->env);
	str_fini(&w->key);
	str_fini(&w->value);
	free(w->path);
	free(w);
	*writer = NULL;
}

int lmdb_writer_open(const char *path, uint64_t map_size, bool zero_end,
    struct lmdb_writer **writer_out, struct err *err)
{
	struct lmdb_writer *w = alloc_zero(1, sizeof(*w));
	int rc = mdb_env_create(&w->env);

	w->path = alloc_strdup(path);
	w->zero_end = zero_end;
	if (rc == 0)
		rc = mdb_env_set_mapsize(w->env, (size_t)map_size);
	if (rc == 0) /* one sync at the end is all that is needed */
		rc = mdb_env_open(w->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(w->env, NULL, 0, &w->txn);
	if (rc == 0)
		rc = mdb_dbi_open(w->txn, NULL, MDB_CREATE, &w->dbi);
	if (rc == 0)
		rc = lmdb_learn_form(w->txn, w->dbi, &w->zero_end);
	if (rc != 0) {
		lmdb_fail(err, "open", path, rc);
		lmdb_writer_abort(&w);
		return -1;
	}
	*writer_out = w;
	return 0;
}

static MDB_val zero_ended(const struct lmdb_writer *w, struct str *room, struct slice text)
{
	str_clear(room);
	str_put(room, text.data, text.len); /* a str keeps a zero byte behind its last byte */
	return lmdb_val(str_text(room), text.len + (w->zero_end ? 1 : 0));
}

static enum lmdb_result writer_result(const struct lmdb_writer *w, int rc, struct err *err)
{
	if (rc == MDB_MAP_FULL)
		return LMDB_FULL;
	if (rc == MDB_BAD_VALSIZE)
		err_set(err, EINVAL, "%s: the key is empty or longer than %d bytes", w->path,
		    mdb_env_get_maxkeysize(w->env) - 1);
	else
		lmdb_fail(err, "write", w->path, rc);
	return LMDB_ERROR;
}

enum lmdb_result lmdb_writer_put(
    struct lmdb_writer *w, struct slice key, struct slice value, bool replace, struct err *err)
{
	MDB_val k = zero_ended(w, &w->key, key), v = zero_ended(w, &w->value, value);
	int rc = mdb_put(w->txn, w->dbi, &k, &v, replace ? 0 : MDB_NOOVERWRITE);

	if (rc == MDB_KEYEXIST)
		return LMDB_EXISTS;
	return rc == 0 ? LMDB_DONE : writer_result(w, rc, err);
}

enum lmdb_result lmdb_writer_remove(struct lmdb_writer *w, struct slice key, struct err *err)
{
	MDB_val k = zero_ended(w, &w->key, key);
	int rc = mdb_del(w->txn, w->dbi, &k, NULL);

	if (rc == MDB_NOTFOUND)
		return LMDB_ABSENT;
	return rc == 0 ? LMDB_DONE : writer_result(w, rc, err);
}

enum lmdb_result lmdb_writer_commit(struct lmdb_writer **writer, struct err *err)
{
	struct lmdb_writer *w = *writer;
	int rc = mdb_txn_commit(w->txn);
	enum lmdb_result result = LMDB_DONE;

	w->txn = NULL;
	if (rc == 0)
		rc = mdb_env_sync(w->env, 1);
	if (rc != 0)
		result = writer_result(w, rc, err);
	lmdb_writer_abort(writer);
	return result;
}
