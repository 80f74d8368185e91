/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_LMDB_H
#define LIB_TABLE_LMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* The one place that knows LMDB. Reading is behind table.h; this is for those who build. */

#define LMDB_SUFFIX ".lmdb"

/* The file of a table's name; the caller frees. */
char *lmdb_path(const char *name);

/*
 * A writer over one file, which it makes when it is absent. One transaction from open to commit;
 * nothing is durable before lmdb_writer_commit (which syncs the file), and lmdb_writer_abort
 * leaves it as it was. The map grows by itself when it is full. Keys and values are stored with a
 * trailing zero byte or without, as the file has it; a new file: without, as Postfix writes it.
 */
struct lmdb_writer;
int lmdb_writer_open(
    const char *path, uint64_t map_size, struct lmdb_writer **writer_out, struct err *err);

enum lmdb_put { LMDB_PUT_DONE, LMDB_PUT_EXISTS, LMDB_PUT_ERROR };
enum lmdb_put lmdb_writer_put(struct lmdb_writer *writer, struct slice key, struct slice value,
    bool replace, struct err *err);
/* 1: removed, 0: there was none, -1: error */
int lmdb_writer_remove(struct lmdb_writer *writer, struct slice key, struct err *err);

int lmdb_writer_commit(struct lmdb_writer **writer, struct err *err); /* frees, always */
void lmdb_writer_abort(struct lmdb_writer **writer);

#endif
