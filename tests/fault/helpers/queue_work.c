/* SPDX-License-Identifier: ISC */
/*
 * What the mail system does to its queue, in small: receives messages of several sizes, delivers
 * some, defers some, in a journal so small that lanes are recycled and overflow into files.
 * Reports to standard output, each line as soon as the promise is made:
 *   "A id seed"  accepted (durable)     "D id n" recipient n is marked delivered
 *   "F id"       finished               "M id"   moved to the deferred queue
 * usage: queue_work SPOOL MESSAGES FIRST-SEED
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/queue/store.h"
#include "lib/sys/clock.h"
#include "tests/fault/helpers/seeded.h"

static const struct queue_params params = {2, 65536, 20000, "deferred, defer", 1};

static void deliver(struct queue *queue, const struct location *loc, const char *id, int rcpts,
    bool finish)
{
	struct message m;
	uint8_t status[2];
	struct err err;

	if (message_open(queue, loc, id, MESSAGE_CONTENT, &m, &err) != 0)
		return;
	if (message_take(&m, 0, 2, status, &err) == 0) {
		for (int i = 0; i < rcpts; i++) {
			if (message_mark(&m, (uint32_t)i, RCPT_DONE, &err) == 0)
				printf("D %s %d\n", id, i);
		}
		message_release(&m, 0, 2);
	}
	message_close(&m);
	if (finish && message_finish(queue, loc, id, &err) == 0)
		printf("F %s\n", id);
}

static void work_on(struct queue *queue, unsigned seed)
{
	struct recipient rcpts[2] = {{.address = "one@example.org", .transport = "smtp"},
	    {.address = "two@example.org", .transport = "smtp"}};
	char id[QUEUE_ID_MAX];
	struct envelope env = {.id = id, .sender = "me@example.com", .rcpts = rcpts, .rcpt_count = 2};
	struct queue_writer *w;
	struct location loc;
	struct err err;
	struct str content = {0};

	queue_new_id(queue, id);
	env.arrival_us = (uint64_t)clock_wall_us();
	seeded_content(&content, seed);
	w = queue_writer_new(queue, id);
	for (size_t at = 0; at < content.len; at += 5000) {
		if (queue_writer_put(w, content.data + at, MIN(5000, content.len - at), &err) < 0)
			break;
	}
	if (queue_writer_commit(&w, &env, false, &loc, &err) < 0) {
		printf("R %s %s\n", id, err.text);
	} else {
		printf("A %s %u\n", id, seed);
		if (seed % 4 == 0) {
			deliver(queue, &loc, id, 1, false);
			if (message_move(queue, &loc, id, "deferred", 1, &err) == 0)
				printf("M %s\n", id);
		} else if (seed % 4 != 1) {
			deliver(queue, &loc, id, 2, true);
		}
	}
	str_fini(&content);
}

int main(int argc, char **argv)
{
	struct queue *queue;
	struct err err;

	if (argc != 4 || chdir(argv[1]) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open(LOG_TO_STDERR, 2, 0);
	if (queue_open(&params, false, &queue, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	for (int i = 0; i < atoi(argv[2]); i++)
		work_on(queue, (unsigned)(atoi(argv[3]) + i));
	queue_close(&queue);
	return 0;
}
