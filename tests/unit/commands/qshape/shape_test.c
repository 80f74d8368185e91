/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "commands/qshape/shape.h"
#include "lib/base/attr.h"
#include "suite.h"

enum { NOW = 1700000000 };

static const struct {
	int buckets;
	double minutes;
	bool linear;
	int64_t age;
	int want;
} ages[] = {
    {10, 5, false, 0, 1},
    {10, 5, false, -100, 1},
    {10, 5, false, 299, 1},
    {10, 5, false, 300, 2},
    {10, 5, false, 599, 2},
    {10, 5, false, 600, 3},
    {10, 5, false, 1199, 3},
    {10, 5, false, 1200, 4},
    {10, 5, false, 1280 * 60 - 1, 9},
    {10, 5, false, 1280 * 60, 10},
    {10, 5, false, 100000000, 10},
    {10, 5, true, 299, 1},
    {10, 5, true, 300, 2},
    {10, 5, true, 9 * 300 - 1, 9},
    {10, 5, true, 9 * 300, 10},
    {10, 5, true, INT64_MAX / 2, 10},
    {10, 5, false, INT64_MAX / 2, 10},
    {1, 5, false, 100000, 1},
    {1, 5, true, 100000, 1},
    {4, 0.5, false, 30, 2},
};

START_TEST(buckets)
{
	const struct shape_settings set = {
	    .buckets = ages[_i].buckets, .minutes = ages[_i].minutes, .linear = ages[_i].linear};

	ck_assert_int_eq(shape_bucket(&set, ages[_i].age), ages[_i].want);
}
END_TEST

static const struct {
	const char *address, *want;
} names[] = {
    {"user@Example.COM", "example.com"},
    {"", "MAILER-DAEMON"},
    {"root", "root"},
    {"a@b@c.example", "c.example"},
    {"a@.c..example.", "c.example"},
    {"a@", ""},
    {"a@.", ""},
};

START_TEST(domains)
{
	struct str out = {0};

	shape_domain(&out, names[_i].address);
	ck_assert_str_eq(str_text(&out), names[_i].want);
	str_fini(&out);
}
END_TEST

static void fill(struct shape *s)
{
	shape_add(s, "a@x.one.test", NOW - 10);
	shape_add(s, "B@X.one.test", NOW - 3600);
	shape_add(s, "c@x.one.test", NOW - 3600);
	shape_add(s, "d@y.one.test", NOW);
	shape_add(s, "e@a-name-that-is-longer.than.columns.test", NOW);
	shape_add(s, "", NOW);
	shape_add(s, "f@two\033.test", NOW - 100000);
}

static void expect(const struct shape_settings *set, bool filled, const char *want)
{
	struct str out = {0};
	struct shape s;

	shape_init(&s, set, NOW);
	if (filled)
		fill(&s);
	shape_print(&s, &out);
	ck_assert_str_eq(str_text(&out), want);
	str_fini(&out);
	shape_fini(&s);
}

/* The heading, the order, cut names, what would disturb a terminal. */
START_TEST(table)
{
	expect(&(struct shape_settings){.buckets = 3, .minutes = 5, .width = 40, .subdomains = 2},
	    true,
	    "                             T  5 10 10+\n"
	    "                      TOTAL  7  4  0   3\n"
	    "                 x.one.test  3  1  0   2\n"
	    "                  two?.test  1  0  0   1\n"
	    "                 y.one.test  1  1  0   0\n"
	    "              MAILER-DAEMON  1  1  0   0\n"
	    "+s-longer.than.columns.test  1  1  0   0\n");
}
END_TEST

/* Parents with few below them are not shown, nor are top-level domains. */
START_TEST(parents)
{
	expect(&(struct shape_settings){.buckets = 2,
	           .minutes = 0.5,
	           .width = 30,
	           .subdomains = 2,
	           .parents = true,
	           .top_domains = 3},
	    true,
	    "                    T 0.5 0.5+\n"
	    "             TOTAL  7   4    3\n"
	    "         .one.test  4   2    2\n"
	    "        x.one.test  3   1    2\n");
}
END_TEST

START_TEST(empty)
{
	expect(&(struct shape_settings){.buckets = 1, .minutes = 5, .width = 30, .subdomains = 5},
	    false,
	    "                          T 0+\n"
	    "                   TOTAL  0  0\n");
}
END_TEST

TCase *shape_tcase(void)
{
	TCase *tcase = tcase_create("shape");

	tcase_add_loop_test(tcase, buckets, 0, ARRAY_LEN(ages));
	tcase_add_loop_test(tcase, domains, 0, ARRAY_LEN(names));
	tcase_add_test(tcase, table);
	tcase_add_test(tcase, parents);
	tcase_add_test(tcase, empty);
	return tcase;
}
