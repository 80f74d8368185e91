/* SPDX-License-Identifier: ISC */
/* Who may pass whom: the arithmetic alone, and the order in which deliveries come. */
#include "qmgr/slots.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

static const struct {
	struct slot_rules rules;
	int64_t credit;
	size_t left, need;
	bool passable, suffices;
	size_t reach;
} cases[] = {
    /* cost, loan, discount, minimum */
    {{5, 0, 0, 3}, 0, 100, 1, false, false, 20},
    {{5, 0, 0, 3}, 4, 96, 1, true, false, 20},
    {{5, 0, 0, 3}, 5, 95, 1, true, true, 20},
    {{5, 0, 0, 3}, 5, 95, 2, true, false, 20},
    {{5, 1, 0, 3}, 1, 99, 1, true, true, 20},
    {{5, 0, 50, 3}, 2, 98, 1, true, false, 20},
    {{5, 0, 50, 3}, 3, 97, 1, true, true, 20},
    {{5, 3, 50, 3}, 1, 99, 6, true, true, 20},
    {{5, 3, 50, 3}, 1, 99, 7, true, false, 20},
    {{5, 3, 50, 3}, 1, 12, 1, false, true, 2}, /* it never earns three slots */
    {{5, 3, 50, 3}, 1, 14, 1, true, true, 3},
    {{5, 3, 50, 3}, -4, 90, 1, false, true, 17}, /* the loan is not paid back */
    {{0, 3, 50, 3}, 50, 50, 1, false, true, 50},
    {{2, 0, 0, 0}, 1, 1, 1, true, false, 1},
};

START_TEST(arithmetic)
{
	const struct slot_rules *rules = &cases[_i].rules;

	ck_assert(slots_passable(rules, cases[_i].credit, cases[_i].left) == cases[_i].passable);
	ck_assert(slots_suffice(rules, cases[_i].credit, cases[_i].need) == cases[_i].suffices);
	ck_assert_uint_eq(slots_reach(rules, cases[_i].credit, cases[_i].left), cases[_i].reach);
}
END_TEST

START_TEST(classes)
{
	int last = -1;

	for (size_t size = 1; size < 200000; size++) {
		int class = slots_class(size);

		ck_assert(class == last || class == last + 1);
		ck_assert_int_le(class, SLOT_CLASS_NONE);
		if (class != last && class < SLOT_CLASSES)
			ck_assert_uint_eq(slots_class_min(class), size == 17 ? 16 : size);
		last = class;
	}
	ck_assert_int_eq(slots_class(16), 15);
	ck_assert_int_eq(last, SLOT_CLASS_NONE);
}
END_TEST

/* ---- one agent: the order of deliveries ------------------------------------------------------ */

static char ids[40][QUEUE_ID_MAX];
static size_t id_count;

static void put(size_t rcpts)
{
	fixture_note(ids[id_count++], rcpts, "one", "next");
}

static char name_of(const char *id)
{
	for (size_t i = 0; i < id_count; i++) {
		if (strcmp(ids[i], id) == 0)
			return (char)('1' + i);
	}
	return '?';
}

/* Serves until there is nothing left, or `most` are; the messages' numbers in order. */
static void serve(char *order, size_t most)
{
	size_t n = 0;

	fixture_turn();
	for (; n < most && jobs_waiting(NULL) > 0; n++) {
		ck_assert_uint_eq(jobs_waiting(NULL), 1);
		order[n] = name_of(fx.jobs[fx.count - 1].request.id);
		jobs_answer(NULL, OUTCOME_SENT, NULL);
	}
	order[n] = '\0';
}

/* One agent, a delivery for each recipient. */
static void open_one(const char *settings)
{
	char text[400];

	snprintf(text, sizeof(text), "one_destination_recipient_limit = 1\n%s", settings);
	fixture_open(text);
	fixture_serve("one");
	fixture_start();
	id_count = 0;
}

#define SLOTS(cost, loan, discount, minimum)                                                       \
	"default_delivery_slot_cost = " #cost "\none_delivery_slot_loan = " #loan                  \
	"\ndefault_delivery_slot_discount = " #discount "\none_minimum_delivery_slots = " #minimum \
	"\n"

static const struct {
	const char *settings;
	size_t sizes[4];
	const char *order;
} orders[] = {
    {SLOTS(0, 3, 50, 0), {10, 2, 2}, "11111111112233"},
    {SLOTS(2, 0, 0, 3), {10, 2, 2}, "11112211113311"},
    {SLOTS(2, 0, 50, 3), {10, 2, 2}, "11221111331111"},
    {SLOTS(2, 1, 0, 3), {10, 2, 2}, "11221111331111"},
    {SLOTS(2, 0, 0, 6), {10, 2, 2}, "11111111112233"},
    {SLOTS(3, 0, 0, 3), {10, 2, 2}, "11111122111133"},
    {SLOTS(5, 3, 50, 3), {10, 2, 2}, "11111111112233"}, /* too small to be passed */
    {SLOTS(5, 3, 50, 3), {20, 1, 1, 1}, "12111113111111111111114"},
    {SLOTS(2, 0, 0, 3), {12, 4, 1}, "11311111111222211"},
    {"", {20, 1, 1, 1}, "12111113111111111111114"}, /* the defaults */
    {"one_delivery_slot_cost = 0\n", {20, 1}, "111111111111111111112"},
};

START_TEST(order_of_deliveries)
{
	char order[100];

	open_one(orders[_i].settings);
	for (size_t i = 0; i < 4 && orders[_i].sizes[i]; i++)
		put(orders[_i].sizes[i]);
	serve(order, 99);
	ck_assert_str_eq(order, orders[_i].order);
	ck_assert_uint_eq(fixture_active(), 0);
	fixture_close();
}
END_TEST

/* One that passes can be passed: the first is not delayed without bound. */
START_TEST(passing_one_that_passes)
{
	char order[200];
	size_t last = 0;

	open_one(SLOTS(2, 0, 0, 3));
	put(40);
	put(12);
	serve(order, 20);
	put(1);
	put(1);
	put(1);
	serve(order + strlen(order), 150);
	ck_assert_uint_eq(strlen(order), 40 + 12 + 3);
	for (size_t i = 0; order[i]; i++)
		last = order[i] == '2' ? i : last;
	ck_assert_msg(
	    strchr(order, '3') && strchr(order, '3') - order < (ptrdiff_t)last, "%s", order);
	fixture_close();
}
END_TEST

/* Of those that may pass, who has waited longest for each of its deliveries. */
START_TEST(the_oldest_of_the_small)
{
	char order[100];

	open_one(SLOTS(2, 0, 0, 3));
	put(40);
	put(3);
	fixture_turn();
	fixture_pass(60000);
	put(1); /* smaller, but twenty seconds for each of the other's are more */
	serve(order, 99);
	ck_assert_msg(strstr(order, "1112221"), "%s", order);
	ck_assert(strchr(order, '3') > strchr(order, '2'));
	fixture_close();
}
END_TEST

/* Nobody waits for a destination that has no room; who may pass is found behind it. */
START_TEST(blocked_ones_are_passed_by)
{
	char id[QUEUE_ID_MAX];
	size_t n = 0;

	fixture_open("small_destination_concurrency_limit = 1\n" SLOTS(2, 0, 0, 0));
	fixture_serve("small");
	fixture_start();
	fixture_note(id, 1, "small", "slow.test");
	for (int i = 0; i < 50; i++)
		fixture_note(id, 1, "small", "slow.test");
	for (int i = 0; i < 10; i++)
		fixture_note(id, 1, "small", "fast.test");
	fixture_turn();
	while (jobs_waiting("fast.test") > 0 && n < 60) {
		jobs_answer("fast.test", OUTCOME_SENT, NULL);
		n++;
	}
	ck_assert_uint_eq(n, 10);
	ck_assert_uint_eq(jobs_waiting("slow.test"), 1);
	fixture_close();
}
END_TEST

/* A large message and small ones to the same destination and to others, three agents. */
START_TEST(small_mail_passes_bulk)
{
	char id[20][QUEUE_ID_MAX], bulk[QUEUE_ID_MAX];
	size_t found = 0, before;

	fixture_open("small_destination_recipient_limit = 2\n");
	fixture_serve("small");
	fixture_start();
	fixture_note(bulk, 2000, "small", "big.test");
	fixture_turn();
	jobs_answer(NULL, OUTCOME_SENT, NULL);
	before = fx.count;
	for (int i = 0; i < 20; i++)
		fixture_note(id[i], 1, "small", i < 10 ? "big.test" : "other.test");
	while (found < 20 && fx.count < before + 200) {
		jobs_answer(NULL, OUTCOME_SENT, NULL);
		found = 0;
		for (size_t k = before; k < fx.count; k++)
			found += strcmp(fx.jobs[k].request.id, bulk) != 0;
	}
	ck_assert_uint_eq(found, 20);
	ck_assert_uint_le(fx.count - before, 20 * 6 + 10); /* one slot of six */
	fixture_close();
}
END_TEST

TCase *slots_tcase(void)
{
	TCase *tc = tcase_create("slots");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, arithmetic, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, classes);
	tcase_add_loop_test(tc, order_of_deliveries, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(tc, passing_one_that_passes);
	tcase_add_test(tc, the_oldest_of_the_small);
	tcase_add_test(tc, blocked_ones_are_passed_by);
	tcase_add_test(tc, small_mail_passes_bulk);
	return tc;
}
