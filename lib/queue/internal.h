/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_INTERNAL_H
#define LIB_QUEUE_INTERNAL_H

#include <stdio.h>

#include "lib/queue/journal.h"
#include "lib/queue/store.h"

/* What the modules of lib/queue share and nobody else needs. */

struct queue {
	const struct queue_params *params;
	struct journal *journal;
	bool long_ids;
	uint32_t counter;   /* the number part of ids */
	struct str spare;   /* content buffer of the last writer, for the next */
	struct str env;     /* scratch: encoded envelope */
	char hashed[8][16]; /* names of hashed directories */
	size_t hashed_count;
};

/* Directory of queue files, as a descriptor-free path; makes hash sub-directories on demand. */
int queue_make_parent(const struct queue *queue, const char *dir, const char *id);
int queue_sync_dir_of(const char *path); /* fsync of the folder that holds path */

/* The name of a file that is not a message yet. */
enum { QUEUE_TEMP_MAX = 64 };
static inline void queue_temp_path(char out[QUEUE_TEMP_MAX], const char *id)
{
	snprintf(out, QUEUE_TEMP_MAX, "incoming/tmp.%s", id);
}

/* Reads and checks the head of the record at loc; as message_open. */
int message_read_head(
    int fd, const struct location *loc, const char *id, struct record_head *head, struct err *err);
/* Opens the lane or the file, m->fd. look: for reading alone. 1: there is no such file. */
int message_open_home(struct queue *queue, const struct location *loc, const char *id, bool look,
    struct message *m, struct err *err);
/* In no checksum: a damaged byte must not make a recipient vanish. */
static inline uint8_t message_sane_status(uint8_t status)
{
	return status == RCPT_DONE || status == RCPT_BOUNCED ? status : RCPT_TODO;
}
/* message_marks.c. Sets the state byte of a journal record that is still ours. 1: it is gone
 * already. */
int message_set_lane_state(
    int fd, const struct location *loc, const char *id, enum record_state state, struct err *err);

#endif
