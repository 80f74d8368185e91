/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_JOURNAL_H
#define LIB_QUEUE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/queue/record.h"
#include "lib/queue/store.h"

/*
 * The journal: preallocated, already written files spool/journal/00, 01, ... ("lanes") that new
 * mail is appended to and that are recycled under a new epoch once all their records are finished.
 * Appending changes no metadata, so that fdatasync() is cheap.
 *
 * A lane begins with a head of one page (magic, version, epoch, size, checksum); records follow at
 * multiples of LANE_ALIGN. Who holds the lane's flock(2) may append or recycle; who has the byte at
 * LANE_BUSY_AT locked asks others to go elsewhere until he has synced. Where the next record goes
 * is kept in journal/index, which counts only within one boot of the system; without it the lane is
 * walked. doc/queue.md has the crash states.
 */
enum {
	LANE_HEAD = 4096,
	LANE_ALIGN = 512,
	LANES_MAX = 256,
	LANE_BUSY_AT = 0,
	LANE_PATH_MAX = 32,
};

struct journal;
struct journal *journal_new(const struct queue_params *params);
void journal_free(struct journal **journal);

/* The content and envelope of one record on its way into a lane. */
struct record_parts {
	struct record_head head;
	const void *content;
	const void *status;
	const void *env;
};

/*
 * Appends and syncs. 0: durable, *loc_out filled; 1: no lane has room (or is usable): make a file;
 * -1 is never returned for lack of space, only 1.
 */
int journal_append(struct journal *journal, struct record_parts *parts, struct location *loc_out);

/* What an append has found wanting, when nobody waits for this process: another lane. */
void journal_tend(struct journal *journal);

/* The open descriptor of a lane, kept by the journal; -1 with err when there is none. */
int journal_fd(struct journal *journal, int lane, struct err *err);
/* One more than the highest lane; any of those below may be missing or unusable. */
int journal_count(struct journal *journal);

/*
 * Calls fn for each record of the lane's current epoch, in order, with the lane locked. A stretch
 * that holds no valid record is given as head = NULL with its offset and length. Only up to the
 * end that the index knows; a lane that the index does not know is recovered first. A lane that
 * does not exist has no records.
 */
typedef bool journal_walk_fn(
    void *arg, int fd, uint64_t offset, uint64_t len, const struct record_head *head);
int journal_walk(
    struct journal *journal, int lane, journal_walk_fn *fn, void *arg, struct err *err);

/* Marks a stretch that journal_walk gave with head = NULL as finished (after it was set aside). */
int journal_fill_gap(int fd, uint32_t epoch, uint64_t offset, uint64_t len);

static inline uint64_t lane_round(uint64_t len)
{
	return (len + LANE_ALIGN - 1) & ~(uint64_t)(LANE_ALIGN - 1);
}

/* ---- lane_files.c -------------------------------------------------------------------------- */

void lane_path(char out[LANE_PATH_MAX], int lane);
/* A lane that is missing or unusable does not hide those behind it. -1: there are none. */
int lane_highest(void);
/*
 * Makes lane number `lane` of zeros, fully written and synced, under its name at last. One process
 * at a time (the index file's lock). 0 or -1; it may be there already.
 */
int lane_make(int lane, uint64_t size, uint32_t epoch);

/* ---- lane.c -------------------------------------------------------------------------------- */

/*
 * Where a lane's epochs begin: at random, so that no sender can put into a message what would pass
 * for a record of it when the lane around it is damaged.
 */
uint32_t lane_new_epoch(void);
/* The lane's epoch from its head page; 0 when the page is damaged. */
uint32_t lane_read_epoch(int fd);
int lane_write_epoch(int fd, uint32_t epoch, uint64_t size);
/*
 * Walks the whole lane and finds the end of its records: the epoch (of the head page or, when that
 * is damaged, of the first whole record) and the offset behind the last whole record. A torn last
 * record is copied to corrupt/ and reported.
 */
int lane_recover(
    int fd, int lane, uint64_t size, uint32_t *epoch_out, uint64_t *tail_out, struct err *err);
/* Are all records below tail finished, and is no recipient in hand? *from is a hint, updated. */
bool lane_all_finished(int fd, uint32_t epoch, uint64_t *from, uint64_t tail);
/* Copies a damaged stretch to corrupt/NAME and logs why. 0 or -1. */
int lane_set_aside(
    int fd, int lane, uint64_t offset, uint64_t len, const char *id, const char *why);

#endif
