/* SPDX-License-Identifier: ISC */
/* A queue that is a text in memory: these stand before lib/queue's functions of the same names. */
#include "tests/fuzz/shape/writer.h"

struct str fuzz_written;
static bool in_use;

struct queue_writer *__wrap_queue_writer_new(struct queue *queue UNUSED, const char *id UNUSED)
{
	must(!in_use);
	in_use = true;
	str_clear(&fuzz_written);
	return (struct queue_writer *)&fuzz_written;
}

int __wrap_queue_writer_put(
    struct queue_writer *w UNUSED, const void *data, size_t len, struct err *err UNUSED)
{
	str_put(&fuzz_written, data, len);
	return 0;
}

uint64_t __wrap_queue_writer_size(const struct queue_writer *w UNUSED)
{
	return fuzz_written.len;
}

int __wrap_queue_writer_commit(struct queue_writer **w, struct envelope *env UNUSED,
    bool hold UNUSED, struct location *loc_out, struct err *err UNUSED)
{
	*loc_out = (struct location){.lane = -1};
	in_use = false;
	*w = NULL;
	return 0;
}

void __wrap_queue_writer_abort(struct queue_writer **w)
{
	if (*w)
		in_use = false;
	*w = NULL;
}
