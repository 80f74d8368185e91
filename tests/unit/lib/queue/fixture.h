/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_QUEUE_FIXTURE_H
#define TESTS_UNIT_LIB_QUEUE_FIXTURE_H

#include "lib/queue/store.h"

/*
 * A spool in a scratch folder, which becomes the working directory of the test. Two lanes of 64 KB,
 * records over 20,000 bytes are files. Each process of a test has a queue of its own.
 */
extern struct queue_params fixture_params;
void fixture_setup(void);
void fixture_teardown(void);
struct queue *fixture_queue(void); /* another view of the spool, as another process has it */

struct sent {
	char id[QUEUE_ID_MAX];
	struct location loc;
};
/* Commits a message of `lines` lines for `rcpts` recipients ("rN@example.org"). */
struct sent fixture_send(struct queue *queue, unsigned lines, uint32_t rcpts);
/* The content as fixture_send wrote it is there; no damage. */
void fixture_check(struct queue *queue, const struct sent *sent, unsigned lines);
void fixture_finish(struct queue *queue, const struct sent *sent);

/* What a scan of the journal finds, in order; the count. */
struct found {
	char ids[256][QUEUE_ID_MAX];
	struct location locs[256];
	size_t count;
};
size_t fixture_scan_journal(struct queue *queue, struct found *found);
size_t fixture_scan_dir(struct queue *queue, const char *dir, struct found *found);
size_t fixture_files(const char *dir); /* files in a directory */
/* Writes bytes into a file of the spool; len 0 cuts it off at `at`. */
void fixture_damage(const char *path, long at, const void *bytes, size_t len);

#endif
