/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_COUNTERS_H
#define LIB_PEER_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Counters of events by key, in memory that many processes share and count in at once: no lock, no
 * conversation, the same time for any number of keys. The table is a cache of fixed size: a key
 * lives in one of COUNTER_WAYS places; when all are taken, the one that was silent longest, and
 * counts nothing at present, makes room; of several, the one with the fewest events. Nobody can
 * make it grow.
 *
 * A process may die at any instruction: what it left half done costs one place until
 * counters_sweep, and its present connection is counted until its holder slot is released.
 *
 * Time is in seconds of the wall clock; a clock that is set back begins periods anew.
 */
enum { COUNTER_RATES = 6, COUNTER_WAYS = 8, COUNTER_KEY_SIZE = 64 };
enum { COUNTER_HOLDERS = 8192 };

struct counter {
	_Atomic uint64_t tag;                  /* 0: free, 1: being made, else the key's hash */
	_Atomic uint64_t rates[COUNTER_RATES]; /* beginning of the period << 32 | count */
	_Atomic uint32_t current;              /* under way now */
	_Atomic uint32_t seen;                 /* when it was last asked for */
	char key[COUNTER_KEY_SIZE];            /* a long one is cut; the tag is of the whole */
};

/* The largest value of a rate (or, last, of `current`) since the peaks were reset. */
struct counter_peak {
	_Atomic uint32_t value, busy;
	_Atomic uint64_t when;
	char key[COUNTER_KEY_SIZE];
};
enum { COUNTER_PEAKS = COUNTER_RATES + 1 };

struct counter_table;

/* Bytes that a table for about `capacity` keys needs. */
size_t counters_size(size_t capacity);
/* Makes an empty table in zeroed memory of that size. */
struct counter_table *counters_format(void *memory, size_t capacity, uint64_t seed);
/* Memory that somebody else formatted. NULL: it is no table of `size` bytes. */
struct counter_table *counters_at(void *memory, size_t size);

/*
 * The counter of a key, made when there is none; it is seen now. NULL: every place is in use at
 * this moment; then nothing is counted. A pointer stays good while `current` is above zero, else
 * until the next call at most: the place may become another key's (then an event is counted for
 * the wrong one; limits are that much off).
 */
struct counter *counters_get(struct counter_table *table, const char *key, uint64_t now);
/* Only when there is one. */
struct counter *counters_find(struct counter_table *table, const char *key);

/* Adds n events and returns how many there are in the period that runs now. */
uint32_t counter_add(struct counter_table *table, struct counter *counter, int rate, uint32_t n,
    uint64_t now, uint32_t period);
uint32_t counter_value(const struct counter *counter, int rate, uint64_t now, uint32_t period);
void counter_reset(struct counter *counter); /* the rates; current stays */

/* One more, or one less, under way, in the name of a holder slot (-1: none). Returns how many. */
uint32_t counter_enter(
    struct counter_table *table, struct counter *counter, int holder, uint64_t now);
void counter_leave(struct counter_table *table, struct counter *counter, int holder);

/* Slots for processes: what a dead one had under way is given back. -1: all are taken. */
int counters_take_holder(struct counter_table *table);
void counters_release_holder(struct counter_table *table, int holder);

/*
 * Frees what has been silent since before `silent_since` and counts nothing, and what dead
 * processes left half done. Returns how many keys remain. Looks only at the bytes from..to of the
 * table's memory, so that pages that nobody has used stay unused.
 */
size_t counters_sweep(struct counter_table *table, size_t from, size_t to, uint64_t silent_since);

/* Walks the keys: start with *cursor = 0; NULL at the end. */
struct counter *counters_next(struct counter_table *table, size_t *cursor);
size_t counters_capacity(const struct counter_table *table);

/* 0 <= which < COUNTER_PEAKS. key_out has room for COUNTER_KEY_SIZE. false: no event since. */
bool counters_peak(
    struct counter_table *table, int which, uint32_t *value_out, uint64_t *when_out, char *key_out);
void counters_reset_peaks(struct counter_table *table);

#endif
