/* SPDX-License-Identifier: ISC */
/*
 * badagent SOCKET HOW: takes connections at a UNIX socket in the place of a delivery agent or of
 * bounce(8) and answers each request in the way that HOW says. Writes a line for each connection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/peer/bounce.h"
#include "lib/peer/deliver.h"
#include "lib/sys/net.h"

enum { PATIENCE_MS = 20000 };

struct bad {
	struct frame frame;
	struct deliver_request request;
	struct rcpt_result *results;
	struct deliver_result result;
	struct str out;
};

static void encode(struct bad *b, uint32_t id)
{
	frame_encode(&b->out, DELIVER_RESULT, id, &deliver_result_table, &b->result);
}

static void garbage(struct bad *b)
{
	for (int i = 0; i < 5000; i++)
		str_put_char(&b->out, (char)(rand() & 0xff));
}

static void half(struct bad *b)
{
	encode(b, b->frame.id);
	str_cut(&b->out, b->out.len / 2);
}

static void length(struct bad *b)
{
	encode(b, b->frame.id);
	le_put32(b->out.data, 0xfffffff0u);
}

static void field_length(struct bad *b)
{
	encode(b, b->frame.id);
	le_put32(b->out.data + FRAME_HEADER + 2, 0xfffffff0u);
}

static void wrong_id(struct bad *b)
{
	encode(b, b->frame.id + 1);
}

static void wrong_type(struct bad *b)
{
	frame_encode(&b->out, 77, b->frame.id, &deliver_result_table, &b->result);
}

static void others(struct bad *b)
{
	for (size_t i = 0; i < b->result.rcpts.count; i++)
		b->results[i].index += 1000;
	encode(b, b->frame.id);
}

static void fewer(struct bad *b)
{
	b->result.rcpts.count--;
	encode(b, b->frame.id);
}

static void more(struct bad *b)
{
	b->results[b->result.rcpts.count++] = b->results[0];
	encode(b, b->frame.id);
}

static void outcome(struct bad *b)
{
	b->results[0].outcome = 4711;
	encode(b, b->frame.id);
}

static void status(struct bad *b)
{
	b->results[0].outcome = OUTCOME_BOUNCED;
	b->results[0].dsn = "5.1.1\nBcc: all";
	encode(b, b->frame.id);
}

/* It claims that a whole destination, and the message, are in a bad way. */
static void slander(struct bad *b)
{
	b->result.dead_reason = "because";
	b->result.dead_dsn = "??";
	b->result.damaged = "it does not look good";
	encode(b, b->frame.id);
}

static void nothing(struct bad *b)
{
	(void)b;
}

/* For bounce(8): a status that does not exist must not count as done. */
static void strange_status(struct bad *b)
{
	struct bounce_answer answer = {.status = 9, .dir = "deferred"};

	frame_encode(&b->out, BOUNCE_ANSWER, b->frame.id, &bounce_answer_table, &answer);
}

static void other_answer(struct bad *b)
{
	struct bounce_answer answer = {.status = 0, .dir = "deferred"};

	frame_encode(&b->out, BOUNCE_ANSWER, b->frame.id + 5, &bounce_answer_table, &answer);
}

static const struct {
	const char *how;
	void (*answer)(struct bad *b);
	bool goes_on; /* the connection stays open, in silence */
} ways[] = {
    {"garbage", garbage, true},
    {"half", half, false},
    {"half-silent", half, true},
    {"length", length, true},
    {"field-length", field_length, true},
    {"wrong-id", wrong_id, true},
    {"wrong-type", wrong_type, true},
    {"others", others, true},
    {"fewer", fewer, true},
    {"more", more, true},
    {"outcome", outcome, true},
    {"status", status, true},
    {"slander", slander, true},
    {"close", nothing, false},
    {"silent", nothing, true},
    {"strange-status", strange_status, true},
    {"other-answer", other_answer, true},
};

static void take_request(struct bad *b, struct arena *arena)
{
	const struct deliver_rcpt *rcpts;
	struct err err;

	if (b->frame.type != DELIVER_REQUEST ||
	    frame_decode(&b->frame, &deliver_request_table, &b->request, arena, &err) < 0)
		return;
	rcpts = b->request.rcpts.items;
	b->results = arena_zero(arena, b->request.rcpts.count + 1, sizeof(*b->results));
	b->result.rcpts = (struct frame_list){b->results, b->request.rcpts.count};
	for (size_t i = 0; i < b->request.rcpts.count; i++)
		b->results[i] = (struct rcpt_result){.index = rcpts[i].index,
		    .outcome = OUTCOME_SENT,
		    .dsn = "2.0.0",
		    .action = "delivered",
		    .reason = "sent"};
}

static void serve(int fd, size_t way)
{
	struct bad b = {.result = {.dead_dsn = "", .dead_reason = "", .damaged = ""}};
	struct arena arena = {0};
	struct str in = {0};
	struct err err;
	char byte;

	printf("connection\n");
	fflush(stdout);
	if (frame_recv(fd, &in, PATIENCE_MS, &b.frame, NULL, &err) == 1) {
		take_request(&b, &arena);
		ways[way].answer(&b);
		if (b.out.len > 0)
			(void)!send(fd, b.out.data, b.out.len, MSG_NOSIGNAL);
		while (ways[way].goes_on && recv(fd, &byte, 1, 0) > 0)
			continue;
	}
	close(fd);
	str_fini(&b.out);
	str_fini(&in);
	arena_fini(&arena);
}

int main(int argc, char **argv)
{
	struct err err;
	char fresh[200];
	size_t way = 0;
	int fd;

	while (argc == 3 && way < ARRAY_LEN(ways) && strcmp(ways[way].how, argv[2]) != 0)
		way++;
	if (argc != 3 || way == ARRAY_LEN(ways)) {
		fprintf(stderr, "usage: badagent SOCKET HOW\n");
		return 2;
	}
	/* under its name when it listens: the test begins when it sees it */
	snprintf(fresh, sizeof(fresh), "%s.new", argv[1]);
	fd = net_listen_unix(fresh, SOCK_STREAM, 0666, 100, &err);
	if (fd >= 0 && rename(fresh, argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	if (fd < 0) {
		fprintf(stderr, "badagent: %s\n", err.text);
		return 1;
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		if (fork() == 0) {
			close(fd);
			serve(peer, way);
			exit(0);
		}
		close(peer);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
