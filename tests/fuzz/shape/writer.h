/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SHAPE_WRITER_H
#define TESTS_FUZZ_SHAPE_WRITER_H

#include "lib/base/log.h"
#include "lib/queue/store.h"

/* What the last message had in it. */
extern struct str fuzz_written;

struct queue_writer *__wrap_queue_writer_new(struct queue *queue, const char *id);
int __wrap_queue_writer_put(struct queue_writer *w, const void *data, size_t len, struct err *err);
uint64_t __wrap_queue_writer_size(const struct queue_writer *w);
int __wrap_queue_writer_commit(struct queue_writer **w, struct envelope *env, bool hold,
    struct location *loc_out, struct err *err);
void __wrap_queue_writer_abort(struct queue_writer **w);

#endif
