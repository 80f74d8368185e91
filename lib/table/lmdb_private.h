/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_LMDB_PRIVATE_H
#define LIB_TABLE_LMDB_PRIVATE_H

#include <lmdb.h>
#include <stdbool.h>

#include "lib/table/lmdb.h"

/* Between lmdb.c, which reads, and lmdb_writer.c. */

/* "what path: ..." for a status of the library's; returns -1. */
int lmdb_fail(struct err *err, const char *what, const char *path, int rc);
/*
 * Does the first key end with a zero byte? All of a file's keys do, or none. An empty file leaves
 * *zero_ended as it is. Returns the library's status.
 */
int lmdb_learn_form(MDB_txn *txn, MDB_dbi dbi, bool *zero_ended);
/* The library never writes to what it is given, but its type says otherwise. */
MDB_val lmdb_val(const char *data, size_t len);

#endif
