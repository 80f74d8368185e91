/* SPDX-License-Identifier: ISC */
/* What is shown of the scheduler, and to whom. */
#include "lib/peer/scheduler.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

enum { PARTS_MAX = 64 };

/* The answer, decoded. */
static struct {
	struct scheduler_total total;
	struct scheduler_transport transports[PARTS_MAX];
	struct scheduler_dest dests[PARTS_MAX];
	size_t transport_count, dest_count;
	bool ended;
} shown;

static void decode(const char *data, size_t len)
{
	struct frame frame;
	struct err err;
	size_t at = 0;

	memset(&shown, 0, sizeof(shown));
	while (frame_peek(data + at, len - at, &frame, &err) == 1) {
		const struct frame_table *table = NULL;
		void *to = NULL;

		ck_assert(!shown.ended);
		switch (frame.type) {
		case SCHEDULER_TOTAL:
			table = &scheduler_total_table;
			to = &shown.total;
			break;
		case SCHEDULER_TRANSPORT:
			table = &scheduler_transport_table;
			to = &shown.transports[shown.transport_count++];
			break;
		case SCHEDULER_DEST:
			table = &scheduler_dest_table;
			to = &shown.dests[shown.dest_count++];
			break;
		default:
			ck_assert_int_eq(frame.type, SCHEDULER_END);
			shown.ended = true;
		}
		if (table)
			ck_assert_int_eq(frame_decode(&frame, table, to, &fx.arena, &err), 0);
		at += frame.size;
	}
	ck_assert(shown.ended && at == len);
}

static void show(void)
{
	struct str out = {0};

	show_scheduler(&fx.q, &out);
	decode(out.data, out.len);
	str_fini(&out);
}

static const struct scheduler_dest *dest_of(const char *nexthop)
{
	for (size_t i = 0; i < shown.dest_count; i++) {
		if (strcmp(shown.dests[i].nexthop, nexthop) == 0)
			return &shown.dests[i];
	}
	ck_abort_msg("%s is not shown", nexthop);
}

START_TEST(nothing_to_do)
{
	fixture_open("");
	fixture_start();
	show();
	ck_assert_uint_eq(shown.total.messages, 0);
	ck_assert_uint_eq(shown.total.message_limit, 20000);
	ck_assert_uint_eq(shown.transport_count, 0);
	fixture_close();
}
END_TEST

START_TEST(counts_and_reasons)
{
	const struct scheduler_dest *d;
	const struct scheduler_rate *r;
	char id[QUEUE_ID_MAX];

	fixture_open("destination_rate_maps = inline:{ {slow.test = 6/1m burst=2} }\n"
	             "destination_backoff_maps = regexp:{ {/^421/ 100s} }\n"
	             "smtp_destination_recipient_limit = 2\n");
	fixture_serve("smtp");
	fixture_serve("retry");
	fixture_bounce();
	fixture_start();
	fixture_note(id, 9, "smtp", "busy.test"); /* five deliveries */
	fixture_note(id, 7, "smtp", "busy.test"); /* four */
	for (int i = 0; i < 4; i++)
		fixture_note(id, 1, "smtp", "slow.test");
	for (int i = 0; i < 5; i++)
		fixture_note(id, 1, "smtp", "dead.test");
	fixture_note(id, 1, "smtp", "full.test");
	fixture_turn();
	jobs_answer("dead.test", OUTCOME_DEFERRED, "no route to it");
	fx.diag = "smtp; 421 4.7.0 too many";
	fx.relay = "mx.full.test";
	jobs_answer("full.test", OUTCOME_DEFERRED, NULL);
	show();
	ck_assert_uint_eq(shown.total.messages, fixture_active());
	ck_assert_str_eq(shown.transports[0].name, "smtp");
	ck_assert_uint_eq(shown.transports[0].busy, 5 + 2);
	ck_assert_uint_eq(shown.transports[0].destinations, 4);
	d = dest_of("busy.test");
	ck_assert_str_eq(d->transport, "smtp");
	ck_assert_uint_eq(d->busy, 5);
	ck_assert_uint_eq(d->window, 5);
	ck_assert_uint_eq(d->window_limit, 20);
	ck_assert_uint_eq(d->deliveries, 4);
	ck_assert_uint_ge(d->messages, 1);
	ck_assert_uint_le(d->messages, 2);
	ck_assert_uint_ge(d->recipients, 7);
	d = dest_of("slow.test");
	ck_assert_uint_eq(d->busy, 2);
	ck_assert_uint_eq(d->messages, 2);
	ck_assert_uint_gt(d->opens_ms, 9000);
	ck_assert_uint_eq(d->rates.count, 1);
	r = d->rates.items;
	ck_assert_str_eq(r->name, "destination slow.test");
	ck_assert_uint_eq(r->count, 6);
	ck_assert_uint_eq(r->period_ms, 60000);
	ck_assert_uint_eq(r->burst, 2);
	ck_assert_uint_lt(r->tokens_milli, 100);
	ck_assert_uint_le(r->opens_ms, 10000);
	d = dest_of("dead.test");
	ck_assert_str_eq(d->rest_reason, "no route to it");
	ck_assert_uint_gt(d->rest_ms, 290000);
	ck_assert_uint_eq(d->pause_ms, 0);
	d = dest_of("full.test");
	ck_assert_uint_eq(d->rest_ms, 0);
	ck_assert_uint_gt(d->pause_ms, 90000);
	ck_assert_str_eq(d->pause_reason, "because");
	ck_assert_str_eq(d->host, "mx.full.test");
	fixture_close();
}
END_TEST

/* Over a connection whose other end reads late, with words about the flow in between. */
START_TEST(asked_over_a_connection)
{
	char id[QUEUE_ID_MAX], nexthop[600];
	struct str ask = {0}, in = {0};
	int fds[2], small = 4096;
	struct frame frame;
	struct err err;

	fixture_open("");
	fixture_serve("smtp");
	fixture_start();
	for (int i = 0; i < 50; i++) {
		snprintf(nexthop, sizeof(nexthop), "%0500d.test", i);
		fixture_note(id, 1, "smtp", nexthop);
	}
	fixture_turn();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	intake_tell(&fx.q, true);
	intake_accept(&fx.q, fds[1]);
	frame_encode(&ask, SCHEDULER_ASK, 0, NULL, NULL);
	ck_assert(send(fds[0], ask.data, ask.len, 0) == (ssize_t)ask.len);
	fixture_turn();
	intake_tell(&fx.q, false);
	for (int i = 0; i < 1000; i++) {
		ssize_t n;

		str_reserve(&in, 65536);
		n = recv(fds[0], in.data + in.len, 65536, MSG_DONTWAIT);
		if (n > 0)
			in.len += (size_t)n;
		loop_turn(fx.q.loop, 0);
	}
	/* the first and the last are about the flow */
	ck_assert(frame_peek(in.data, in.len, &frame, &err) == 1 && frame.type == NOTE_BEHIND);
	str_consume(&in, frame.size);
	ck_assert(frame_peek(in.data + in.len - FRAME_HEADER, FRAME_HEADER, &frame, &err) == 1 &&
	          frame.type == NOTE_ROOM);
	decode(in.data, in.len - FRAME_HEADER);
	ck_assert_uint_eq(shown.dest_count, 50);
	close(fds[0]);
	fixture_turn();
	str_fini(&ask);
	str_fini(&in);
	fixture_close();
}
END_TEST

TCase *show_tcase(void)
{
	TCase *tc = tcase_create("show");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, nothing_to_do);
	tcase_add_test(tc, counts_and_reasons);
	tcase_add_test(tc, asked_over_a_connection);
	return tc;
}
