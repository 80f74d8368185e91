/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/queue/envelope.h"
#include "suite.h"

static struct recipient rcpts[] = {
    {.address = "a@example.org",
        .orig = "A@example.org",
        .orcpt = "rfc822;a@example.org",
        .transport = "smtp",
        .nexthop = "example.org",
        .notify = NOTIFY_NEVER},
    {.address = "b@example.org"},
};
static struct envelope full = {
    .id = "3F0ED1A2B3C",
    .sender = "me@example.com",
    .sender_orig = "me",
    .arrival_us = 1,
    .queued_us = 2,
    .flags = ENV_8BIT,
    .generation = 7,
    .client_name = "client.example",
    .client_addr = "192.0.2.1",
    .client_port = "4711",
    .helo = "helo",
    .protocol = "ESMTP",
    .sasl_method = "plain",
    .sasl_username = "user",
    .envid = "QQ",
    .ret = "HDRS",
    .message_id = "<x@y>",
    .filter = "f:x",
    .attributes = "a=b\nc=d\n",
    .hops = 3,
    .rcpts = rcpts,
    .rcpt_count = 2,
};

START_TEST(comes_back)
{
	struct str coded = {0};
	struct arena arena = {0};
	struct envelope env;
	struct recipient r;
	struct err err;
	size_t at;

	envelope_encode(&coded, &full);
	ck_assert_int_eq(envelope_decode(coded.data, coded.len, &arena, &env, &at, &err), 0);
	ck_assert_str_eq(env.id, full.id);
	ck_assert_str_eq(env.sender, full.sender);
	ck_assert_str_eq(env.sender_orig, "me");
	ck_assert_uint_eq(env.arrival_us, 1);
	ck_assert_uint_eq(env.generation, 7);
	ck_assert_str_eq(env.client_port, "4711");
	ck_assert_str_eq(env.ret, "HDRS");
	ck_assert_str_eq(env.attributes, "a=b\nc=d\n");
	ck_assert_uint_eq(env.rcpt_count, 2);
	ck_assert_ptr_null(env.rcpts);
	ck_assert_int_eq(envelope_next_rcpt(coded.data, coded.len, &at, &arena, &r, &err), 1);
	ck_assert_str_eq(r.orcpt, "rfc822;a@example.org");
	ck_assert_uint_eq(r.notify, NOTIFY_NEVER);
	ck_assert_int_eq(envelope_next_rcpt(coded.data, coded.len, &at, &arena, &r, &err), 1);
	ck_assert_str_eq(r.address, "b@example.org");
	ck_assert_str_eq(r.transport, ""); /* never NULL */
	ck_assert_int_eq(envelope_next_rcpt(coded.data, coded.len, &at, &arena, &r, &err), 0);
	arena_fini(&arena);
	str_fini(&coded);
}
END_TEST

/* However it is cut off: an error, or fewer recipients, and never a byte beyond the end. */
START_TEST(cut_off)
{
	struct str coded = {0};
	struct envelope env;
	struct recipient r;
	struct err err;

	envelope_encode(&coded, &full);
	for (size_t len = 0; len < coded.len; len++) {
		char *exact = malloc(len ? len : 1);
		struct arena arena = {0};
		size_t at;
		int n = 0, rc;

		memcpy(exact, coded.data, len);
		if (envelope_decode(exact, len, &arena, &env, &at, &err) == 0) {
			while ((rc = envelope_next_rcpt(exact, len, &at, &arena, &r, &err)) == 1)
				n++;
			ck_assert_int_lt(n, 2);
		}
		arena_fini(&arena);
		free(exact);
	}
	str_fini(&coded);
}
END_TEST

START_TEST(garbled)
{
	struct str coded = {0};
	struct envelope env;
	struct recipient r;
	struct err err;

	envelope_encode(&coded, &full);
	for (size_t i = 0; i < coded.len * 8; i++) {
		struct arena arena = {0};
		size_t at;

		coded.data[i / 8] ^= (char)(1 << i % 8);
		if (envelope_decode(coded.data, coded.len, &arena, &env, &at, &err) == 0)
			while (
			    envelope_next_rcpt(coded.data, coded.len, &at, &arena, &r, &err) == 1)
				ck_assert_ptr_nonnull(r.address);
		coded.data[i / 8] ^= (char)(1 << i % 8);
		arena_fini(&arena);
	}
	str_fini(&coded);
}
END_TEST

TCase *envelope_tcase(void)
{
	TCase *tc = tcase_create("envelope");

	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, cut_off);
	tcase_add_test(tc, garbled);
	return tc;
}
