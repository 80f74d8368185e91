/* SPDX-License-Identifier: ISC */
/*
 * Messages of several sizes in a journal so small that lanes are recycled and overflow into files.
 */
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "tests/fault/queue/fault.h"
#include "tests/fault/queue/seeded.h"

const struct queue_params fault_params = {2, 65536, 20000, "deferred, defer", 1};

void fault_deliver(struct queue *queue, const struct location *loc, const char *id, int rcpts,
    bool finish, FILE *report)
{
	uint8_t status[FAULT_RCPTS];
	struct message m;
	struct err err;

	if (message_open(queue, loc, id, MESSAGE_CONTENT, &m, &err) != 0)
		return;
	if (message_take(&m, 0, FAULT_RCPTS, status, &err) == 0) {
		for (int i = 0; i < rcpts; i++) {
			if (status[i] != RCPT_TODO)
				continue;
			fprintf(report, "D %s %d\n", id, i);
			if (message_mark(&m, (uint32_t)i, RCPT_DONE, &err) == 0)
				fprintf(report, "K %s %d\n", id, i);
		}
		message_release(&m, 0, FAULT_RCPTS);
	}
	message_close(&m);
	if (finish && message_finish(queue, loc, id, &err) == 0)
		fprintf(report, "F %s\n", id);
}

static int receive(struct queue *queue, unsigned seed, char id[QUEUE_ID_MAX],
    struct location *loc_out, struct err *err)
{
	struct recipient rcpts[FAULT_RCPTS] = {{.address = "one@example.org", .transport = "smtp"},
	    {.address = "two@example.org", .transport = "smtp"}};
	struct envelope env = {
	    .id = id, .sender = "me@example.com", .rcpts = rcpts, .rcpt_count = FAULT_RCPTS};
	struct str content = {0};
	struct queue_writer *w;

	queue_new_id(queue, id);
	env.arrival_us = (uint64_t)clock_wall_us();
	seeded_content(&content, seed);
	w = queue_writer_new(queue, id);
	for (size_t at = 0; at < content.len; at += 5000) {
		if (queue_writer_put(w, content.data + at, MIN(5000, content.len - at), err) < 0)
			break;
	}
	str_fini(&content);
	return queue_writer_commit(&w, &env, false, loc_out, err);
}

static void work_on(struct queue *queue, unsigned seed, FILE *report)
{
	char id[QUEUE_ID_MAX];
	struct location loc;
	struct err err;

	if (receive(queue, seed, id, &loc, &err) < 0) {
		fprintf(report, "R %s %s\n", id, err.text);
		return;
	}
	fprintf(report, "A %s %u\n", id, seed);
	if (seed % 4 == 0) {
		fault_deliver(queue, &loc, id, 1, false, report);
		if (message_move(queue, &loc, id, "deferred", 1, &err) == 0)
			fprintf(report, "M %s\n", id);
	} else if (seed % 4 != 1) {
		fault_deliver(queue, &loc, id, FAULT_RCPTS, true, report);
	}
}

int fault_work(int messages, unsigned first_seed, FILE *report)
{
	struct queue *queue;
	struct err err;

	if (queue_open(&fault_params, false, &queue, &err) < 0) {
		fprintf(report, "X %s\n", err.text);
		return 1;
	}
	for (int i = 0; i < messages; i++)
		work_on(queue, first_seed + (unsigned)i, report);
	queue_close(&queue);
	fprintf(report, "C %d\n", disk_calls());
	return 0;
}
