/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_JOURNAL_INDEX_H
#define LIB_QUEUE_JOURNAL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The file journal/index: where each lane ends, for speed alone. It counts only for the boot of the
 * system that it names: a power failure may have lost what lies before a tail. An entry (epoch <<
 * 32 | tail / LANE_ALIGN) is written with the lane locked, before the record's writer answers. The
 * file's own lock is for who makes lanes.
 */

/* Its descriptor, with tails of another boot wiped; -1: there is none, every append then recovers
 * the lane. */
int journal_index_open(void);
/* false: nothing is known of the lane. */
bool journal_index_get(int fd, int lane, uint32_t *epoch_out, uint64_t *tail_out);
int journal_index_put(int fd, int lane, uint32_t epoch, uint64_t tail); /* 0, or -1 with errno */

#endif
