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
 * A writer over one file, which it makes when it is absent. One transaction from open to commit:
 * what is not committed leaves the file as it was. Keys and values are stored with a trailing zero
 * byte or without, as the file has it; in an empty one as `zero_end` says (Postfix: with).
 * The file must be nobody else's meanwhile: a copy, or a new file that gets its name afterwards.
 */
struct lmdb_writer;
int lmdb_writer_open(const char *path, uint64_t map_size, bool zero_end,
    struct lmdb_writer **writer_out, struct err *err);

enum lmdb_result {
	LMDB_DONE,
	LMDB_EXISTS, /* put without replace: the key is there, and was left alone */
	LMDB_ABSENT, /* remove: there was no such key */
	LMDB_FULL,   /* start again with a larger map_size */
	LMDB_ERROR,  /* err says why */
};
enum lmdb_result lmdb_writer_put(struct lmdb_writer *writer, struct slice key, struct slice value,
    bool replace, struct err *err);
enum lmdb_result lmdb_writer_remove(struct lmdb_writer *writer, struct slice key, struct err *err);

/* Durable when it answers LMDB_DONE. Frees the writer, whatever the answer. */
enum lmdb_result lmdb_writer_commit(struct lmdb_writer **writer, struct err *err);
void lmdb_writer_abort(struct lmdb_writer **writer);

#endif
