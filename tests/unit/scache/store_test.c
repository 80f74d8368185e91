/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/err.h"
#include "lib/sys/clock.h"
#include "scache/scache.h"
#include "suite.h"

static struct loop *loop;
static struct cache cache;
static struct arena arena;

static void setup(void)
{
	static const struct cache_limits limits = {.ttl_ms = 2000, .sessions = 3};

	loop = loop_new();
	cache_init(&cache, loop, &limits);
}

static void teardown(void)
{
	cache_fini(&cache);
	loop_free(&loop);
	arena_fini(&arena);
}

/* Stores one end of a fresh connection; returns the other, the server's. */
static int store(const char *endpoint, const char *destination, uint32_t ttl_ms, unsigned uses)
{
	struct scache_store s = {.endpoint = endpoint,
	    .destination = destination,
	    .endpoint_ms = ttl_ms,
	    .destination_ms = ttl_ms,
	    .session = {.host = "mx",
	        .name = "mx[192.0.2.1]",
	        .relay = "",
	        .xforward = "",
	        .tls = "",
	        .uses = uses}};
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(cache_store(&cache, &s, ends[0], NULL), 0);
	return ends[1];
}

/* The `uses` of what was found (a mark that tells connections apart), or -1. */
static int find(const char *destination, const char *first, const char *second)
{
	struct scache_key keys[] = {{first}, {second}};
	struct scache_find f = {.destination = destination, .endpoints = {keys, second ? 2 : 1}};
	struct scache_answer answer;
	int fd = cache_find(&cache, &f, &arena, &answer);

	ck_assert_int_eq(fd >= 0, answer.found);
	if (fd < 0)
		return -1;
	close(fd);
	return (int)answer.session.uses;
}

static void pass_time(int64_t ms)
{
	static int64_t passed;

	clock_offset_for_tests(passed += ms);
	loop_turn(loop, 0);
	loop_turn(loop, 0);
}

START_TEST(finds_by_destination_and_endpoint)
{
	int a = store("192.0.2.1:25", "example.com", 1000, 7);
	int b = store("192.0.2.2:25", "", 1000, 8);

	ck_assert_int_eq(find("example.org", "", NULL), -1);
	ck_assert_int_eq(find("", "192.0.2.3:25", "192.0.2.2:25"), 8);
	ck_assert_int_eq(find("", "192.0.2.2:25", NULL), -1);
	ck_assert_int_eq(find("example.com", "", NULL), 7);
	ck_assert_int_eq(find("example.com", "", NULL), -1);
	close(a);
	close(b);
}
END_TEST

/* A destination remembers its endpoint while the endpoint's next connection comes from another. */
START_TEST(destinations_share_an_endpoint)
{
	int a = store("192.0.2.1:25", "example.com", 1000, 1), b;

	ck_assert_int_eq(find("example.com", "", NULL), 1);
	b = store("192.0.2.1:25", "example.org", 1000, 2);
	ck_assert_int_eq(find("example.com", "", NULL), 2);
	close(a);
	close(b);
}
END_TEST

START_TEST(what_was_stored_last_comes_first)
{
	int a = store("192.0.2.1:25", "", 1000, 1), b = store("192.0.2.1:25", "", 1000, 2);

	ck_assert_int_eq(find("", "192.0.2.1:25", NULL), 2);
	ck_assert_int_eq(find("", "192.0.2.1:25", NULL), 1);
	close(a);
	close(b);
}
END_TEST

START_TEST(times_are_bounded)
{
	int a = store("192.0.2.1:25", "example.com", 1000, 1);
	int b = store("192.0.2.2:25", "example.org", 60000, 2);
	char said[16] = "";

	pass_time(1100);
	ck_assert_int_eq(find("", "192.0.2.1:25", NULL), -1);
	ck_assert_int_eq(read(a, said, sizeof(said)), 6);
	ck_assert_str_eq(said, "QUIT\r\n");
	ck_assert_int_eq(read(a, said, sizeof(said)), 0);
	pass_time(1000); /* ttl_ms bounds what was asked for */
	ck_assert_int_eq(find("example.org", "", NULL), -1);
	ck_assert_uint_eq(cache.sessions, 0);
	ck_assert_uint_eq(map_count(cache.destinations), 0);
	ck_assert_uint_eq(map_count(cache.endpoints), 0);
	close(a);
	close(b);
}
END_TEST

START_TEST(a_server_that_spoke_or_left_is_dropped)
{
	int a = store("192.0.2.1:25", "example.com", 1000, 1);
	int b = store("192.0.2.1:25", "example.com", 1000, 2);

	ck_assert_int_eq(write(b, "421 bye\r\n", 9), 9);
	ck_assert_int_eq(find("example.com", "", NULL), 1); /* before the loop had a turn */
	ck_assert_uint_eq(cache.sessions, 0);
	close(a);
	close(b);
	a = store("192.0.2.1:25", "example.com", 1000, 3);
	close(a);
	pass_time(0);
	ck_assert_uint_eq(cache.sessions, 0);
}
END_TEST

START_TEST(the_nearest_to_its_end_makes_room)
{
	static const uint32_t ttl[] = {900, 300, 600, 1000};
	int ends[4];

	for (unsigned i = 0; i < 4; i++) {
		char endpoint[] = "0";

		endpoint[0] = (char)('0' + i);
		ends[i] = store(endpoint, "", ttl[i], i);
	}
	ck_assert_uint_eq(cache.sessions, 3);
	ck_assert_int_eq(find("", "1", NULL), -1);
	for (int i = 0; i < 4; i++)
		close(ends[i]);
}
END_TEST

START_TEST(only_connections_are_taken)
{
	struct scache_store s = {.endpoint = "e", .destination = "", .endpoint_ms = 1};
	int fds[3], pipe_ends[2];
	struct err err;

	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[2] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(cache_store(&cache, &s, fds[i], &err), -1);
		close(fds[i]);
	}
	ck_assert_int_eq(cache_store(&cache, &s, pipe_ends[0], &err), -1);
	ck_assert_int_eq(cache_store(&cache, &s, -1, &err), -1);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	ck_assert_uint_eq(cache.sessions, 0);
	ck_assert_uint_eq(map_count(cache.endpoints), 0);
}
END_TEST

START_TEST(counts)
{
	int a = store("1", "example.com", 1000, 1);

	find("example.com", "", NULL);
	find("example.com", "", NULL);
	find("", "2", NULL);
	ck_assert_uint_eq(cache.counts.destination_hits, 1);
	ck_assert_uint_eq(cache.counts.destination_misses, 1);
	ck_assert_uint_eq(cache.counts.endpoint_misses, 1);
	ck_assert_uint_eq(cache.counts.sessions_max, 1);
	cache_counts_reset(&cache);
	ck_assert_uint_eq(cache.counts.sessions_max, 0);
	close(a);
}
END_TEST

TCase *store_tcase(void)
{
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, finds_by_destination_and_endpoint);
	tcase_add_test(tc, destinations_share_an_endpoint);
	tcase_add_test(tc, what_was_stored_last_comes_first);
	tcase_add_test(tc, times_are_bounded);
	tcase_add_test(tc, a_server_that_spoke_or_left_is_dropped);
	tcase_add_test(tc, the_nearest_to_its_end_makes_room);
	tcase_add_test(tc, only_connections_are_taken);
	tcase_add_test(tc, counts);
	return tc;
}
