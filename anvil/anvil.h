/* SPDX-License-Identifier: ISC */
#ifndef ANVIL_ANVIL_H
#define ANVIL_ANVIL_H

#include "lib/base/err.h"
#include "lib/event/loop.h"
#include "lib/peer/anvil.h"

/*
 * anvil(8): owns the tables of counters in which smtpd processes count (lib/peer/counters.h). It
 * hands them out, gives back what a dead process had under way, forgets what is old, logs peaks,
 * and keeps the accounts over a restart. It takes no part in counting.
 */
struct shared_table {
	struct counter_table *counters;
	int fd; /* sealed: nobody can make it shorter under the others' feet */
	size_t size;
};

struct anvil_server {
	struct loop *loop;
	struct shared_table tables[ANVIL_TABLES];
	size_t processes;      /* that have joined */
	size_t keys_max;       /* clients at once, as of the sweeps since the last report */
	int64_t keys_max_when; /* seconds */
};

/* ---- memory.c ------------------------------------------------------------------------------- */

/* An empty table. -1 with err. */
int shared_table_make(
    struct shared_table *table, const char *name, size_t capacity, struct err *err);
void shared_table_free(struct shared_table *table);
/* Forgets the silent; how many keys there are. Pages that nobody has used stay unused. */
size_t shared_table_sweep(struct shared_table *table, uint64_t silent_since);

/* ---- serve.c -------------------------------------------------------------------------------- */

/* Takes an accepted connection: one process, one table. */
void anvil_accept(struct anvil_server *server, int fd);

/* ---- report.c ------------------------------------------------------------------------------- */

/* "statistics: max ..." lines, and the peaks begin anew. */
void anvil_report(struct anvil_server *server, int rate_time_unit);

/* ---- save.c: the accounts over a restart ---------------------------------------------------- */

/* Writes all keys that have counted something to path, by way of a new file. -1 with err. */
int accounts_save(struct counter_table *table, const char *path, struct err *err);
/* No file is no error; a damaged one is read up to the damage. -1 with err. */
int accounts_load(struct counter_table *table, const char *path, struct err *err);
/* Pure: one line of the file. false: it is none. key has room for COUNTER_KEY_SIZE. */
bool accounts_parse_line(struct slice line, char *key, uint64_t rates_out[COUNTER_RATES]);

#endif
