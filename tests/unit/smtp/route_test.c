/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "smtp/mx.h"
#include "smtp/unreachable.h"
#include "tests/unit/smtp/suite.h"

/* Where to go first: what is known of addresses, and the order that SRV records want. */

static struct net_addr addr_of(const char *text)
{
	struct net_addr addr;

	ck_assert(net_addr_parse(&addr, text, 25));
	return addr;
}

static int64_t passed_ms;

static void pass(int64_t seconds)
{
	passed_ms += seconds * 1000;
	clock_offset_for_tests(passed_ms);
}

static void scratch(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/unreachable.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(path);
}

START_TEST(avoids_for_longer_each_time)
{
	struct net_addr dead = addr_of("192.0.2.1"), other = addr_of("192.0.2.2");
	struct unreachable *u, *v;
	char path[64];

	scratch(path);
	u = unreachable_open(path, 60, 3000);
	v = unreachable_open(path, 60, 3000); /* another process */
	for (int round = 0, wait = 60; round < 7; round++) {
		unreachable_begin(u, &dead);
		if (round > 0) /* this one looks whether it is back, the others do not */
			ck_assert(unreachable_is_suspect(v, &dead));
		unreachable_end(u, &dead, false);
		ck_assert(unreachable_is_suspect(v, &dead));
		ck_assert(!unreachable_is_suspect(v, &other));
		pass(wait - 1);
		ck_assert(unreachable_is_suspect(v, &dead));
		pass(2);
		ck_assert(!unreachable_is_suspect(v, &dead));
		if (wait < 60 * 16)
			wait *= 2;
	}
	unreachable_begin(v, &dead);
	unreachable_end(v, &dead, true);
	ck_assert(!unreachable_is_suspect(u, &dead));
	unreachable_begin(u, &dead);
	unreachable_end(u, &dead, false);
	pass(61); /* it began anew */
	ck_assert(!unreachable_is_suspect(u, &dead));
	unreachable_close(&u);
	unreachable_close(&v);
	unlink(path);
}
END_TEST

START_TEST(suspects_who_takes_long)
{
	struct net_addr slow = addr_of("192.0.2.1");
	struct unreachable *u;
	char path[64];

	scratch(path);
	u = unreachable_open(path, 60, 3000);
	unreachable_begin(u, &slow);
	ck_assert(!unreachable_is_suspect(u, &slow));
	pass(4);
	ck_assert(unreachable_is_suspect(u, &slow));
	unreachable_end(u, &slow, true);
	ck_assert(!unreachable_is_suspect(u, &slow));
	unreachable_begin(u, &slow); /* and dies */
	pass(3600);
	ck_assert(!unreachable_is_suspect(u, &slow));
	pass(-7200); /* the clock is set back */
	ck_assert(!unreachable_is_suspect(u, &slow));
	unreachable_close(&u);
	unlink(path);
}
END_TEST

static const struct {
	const char *content; /* of the file before */
	size_t size;
	int first_s;
	bool remembers;
} files[] = {
    {"", 0, 60, true}, {"rubbish", 7, 60, true}, {"rubbish", 131088, 60, true},
    {"", 0, 0, false}, /* switched off */
};

START_TEST(survives_its_file)
{
	struct net_addr dead = addr_of("2001:db8::1");
	struct unreachable *u;
	char path[64];
	FILE *f;

	scratch(path);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(files[_i].content, f);
	ck_assert_int_eq(ftruncate(fileno(f), (off_t)files[_i].size), 0);
	fclose(f);
	u = unreachable_open(path, files[_i].first_s, 3000);
	unreachable_begin(u, &dead);
	unreachable_end(u, &dead, false);
	ck_assert_int_eq(unreachable_is_suspect(u, &dead), files[_i].remembers);
	unreachable_close(&u);
	u = unreachable_open("/nonexistent/file", 60, 3000);
	unreachable_begin(u, &dead);
	unreachable_end(u, &dead, false);
	ck_assert(unreachable_is_suspect(u, &dead));
	unreachable_close(&u);
	unlink(path);
}
END_TEST

/* More addresses than the table has room for. */
START_TEST(stays_small)
{
	struct unreachable *u = unreachable_open("/nonexistent/file", 60, 3000);
	char text[32];
	int known = 0;

	for (int i = 0; i < 20000; i++) {
		struct net_addr addr;

		snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250 + 1);
		addr = addr_of(text);
		unreachable_begin(u, &addr);
		unreachable_end(u, &addr, false);
		known += unreachable_is_suspect(u, &addr);
	}
	ck_assert_int_gt(known, 3000);
	ck_assert_int_le(known, 4096);
	unreachable_close(&u);
}
END_TEST

static unsigned lots[8];
static size_t lot_at;

static unsigned lot(unsigned bound)
{
	return lots[lot_at++] % bound;
}

START_TEST(orders_srv)
{
	struct dns_record records[] = {{.target = "c", .preference = 20, .weight = 0},
	    {.target = "a", .preference = 10, .weight = 10},
	    {.target = "b", .preference = 10, .weight = 30},
	    {.target = "z", .preference = 10, .weight = 0}};
	static const struct {
		unsigned lots[4];
		const char *order;
	} cases[] = {{{0, 0, 0, 0}, "zabc"}, {{11, 0, 0, 0}, "bzac"}, {{10, 1, 0, 0}, "abzc"}};
	char order[5] = "";

	memcpy(lots, cases[_i].lots, sizeof(cases[_i].lots));
	lot_at = 0;
	srv_order(records, 4, lot);
	for (size_t i = 0; i < 4; i++)
		order[i] = records[i].target[0];
	ck_assert_str_eq(order, cases[_i].order);
}
END_TEST

TCase *route_tcase(void)
{
	TCase *tc = tcase_create("route");

	tcase_add_test(tc, avoids_for_longer_each_time);
	tcase_add_test(tc, suspects_who_takes_long);
	tcase_add_loop_test(tc, survives_its_file, 0, (int)ARRAY_LEN(files));
	tcase_add_test(tc, stays_small);
	tcase_add_loop_test(tc, orders_srv, 0, 3);
	return tc;
}
