/* SPDX-License-Identifier: ISC */
/*
 * bigmail QUEUE_DIRECTORY COUNT SENDER DOMAIN: puts one message with COUNT recipients r0@DOMAIN,
 * r1@DOMAIN, ... into the queue, without routes, and prints its id. Nobody is told.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/num.h"
#include "lib/queue/store.h"
#include "lib/sys/clock.h"

static const struct queue_params params = {.journal_lane_count = 1,
    .journal_lane_size = 65536,
    .journal_message_limit = 0,
    .hash_queue_names = "deferred, defer",
    .hash_queue_depth = 1};
static const char content[] = "Subject: to all of you\r\n\r\ntext\r\n";

static struct recipient *make_rcpts(int count, const char *domain)
{
	struct recipient *rcpts = alloc_zero((size_t)count, sizeof(*rcpts));

	for (int i = 0; i < count; i++)
		rcpts[i] = (struct recipient){.address = alloc_printf("r%d@%s", i, domain),
		    .orig = "",
		    .orcpt = "",
		    .transport = "",
		    .nexthop = "",
		    .status = RCPT_TODO};
	return rcpts;
}

int main(int argc, char **argv)
{
	struct queue_writer *writer;
	static struct queue *queue; /* what is there at the end is no leak */
	struct location loc;
	static struct envelope env;
	char id[QUEUE_ID_MAX];
	struct err err;
	int count;

	if (argc != 5 || chdir(argv[1]) < 0 || !num_int(argv[2], 1, ENVELOPE_RCPTS_MAX, &count)) {
		fprintf(stderr, "usage: bigmail QUEUE_DIRECTORY COUNT SENDER DOMAIN\n");
		return 2;
	}
	if (queue_open(&params, false, &queue, &err) < 0)
		goto failed;
	queue_new_id(queue, id);
	env = (struct envelope){.id = id,
	    .sender = argv[3],
	    .message_id = "",
	    .envid = "",
	    .ret = "",
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .arrival_us = (uint64_t)clock_wall_us(),
	    .queued_us = (uint64_t)clock_wall_us(),
	    .rcpts = make_rcpts(count, argv[4]),
	    .rcpt_count = (uint32_t)count};
	writer = queue_writer_new(queue, id);
	if (queue_writer_put(writer, content, sizeof(content) - 1, &err) < 0 ||
	    queue_writer_commit(&writer, &env, false, &loc, &err) < 0)
		goto failed;
	printf("%s\n", id);
	return 0;
failed:
	fprintf(stderr, "bigmail: %s\n", err.text);
	return 1;
}
