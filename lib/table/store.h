/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_STORE_H
#define LIB_TABLE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/table/table.h"

/*
 * A table that one daemon changes as it goes: caches that outlive a restart (TLS sessions, address
 * probes, ...). "lmdb:NAME" and its old names; keys and values are any bytes. The daemon has the
 * file to itself (a lock says so). What is put can be got at once, and is in the file some time
 * after table_store_commit: a crash of the machine may lose the last of it. A file that is damaged
 * is made anew; so is a full one: a cache forgets.
 */
struct table_store;

enum { TABLE_STORE_KEY_MAX = 500 };

/* -1 with err: an unknown type, a folder that is not there, a file that somebody else has open. */
int table_store_open(
    const char *type_and_name, uint64_t max_bytes, struct table_store **store_out, struct err *err);
void table_store_close(struct table_store **store); /* commits. NULL allowed */

/* Appends to out (cleared first). */
enum table_answer table_store_get(
    struct table_store *store, struct slice key, struct str *out, struct err *err);
int table_store_put(
    struct table_store *store, struct slice key, struct slice value, struct err *err);
int table_store_remove(struct table_store *store, struct slice key, struct err *err);
/*
 * Calls fn for up to `limit` entries behind *place (empty: from the first) and moves it on; false
 * from fn removes the entry. 1: there are more, 0: that was the last, -1 with err.
 */
int table_store_walk(struct table_store *store, struct str *place, size_t limit,
    bool (*fn)(struct slice key, struct slice value, void *arg), void *arg, struct err *err);
/* Ends the transaction that puts and removes have gathered; call some time after a change. */
int table_store_commit(struct table_store *store, struct err *err);

#endif
