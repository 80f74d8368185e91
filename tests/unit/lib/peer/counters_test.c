/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/peer/counters.h"
#include "suite.h"

static struct counter_table *table;
static size_t size;

static void make(size_t capacity)
{
	void *memory;

	size = counters_size(capacity);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	table = counters_format(memory, capacity, 12345);
	ck_assert_ptr_eq(counters_at(memory, size), table);
	ck_assert_ptr_null(counters_at(memory, size - 1));
}

static void drop(void)
{
	munmap(table, size);
}

START_TEST(rates_run_for_a_period)
{
	struct counter *c;

	make(100);
	c = counters_get(table, "smtp:192.0.2.1", 1000);
	ck_assert_uint_eq(counter_add(table, c, 1, 1, 1000, 60), 1);
	ck_assert_uint_eq(counter_add(table, c, 1, 5, 1059, 60), 6);
	ck_assert_uint_eq(counter_value(c, 1, 1059, 60), 6);
	ck_assert_uint_eq(counter_value(c, 1, 1060, 60), 0);
	ck_assert_uint_eq(counter_add(table, c, 1, 1, 1060, 60), 1);
	ck_assert_uint_eq(counter_add(table, c, 1, 1, 900, 60), 1); /* the clock was set back */
	ck_assert_uint_eq(counter_add(table, c, 1, UINT32_MAX, 901, 60), UINT32_MAX);
	ck_assert_uint_eq(counter_value(c, 2, 901, 60), 0);
	ck_assert_ptr_eq(counters_get(table, "smtp:192.0.2.1", 1001), c);
	counter_reset(c);
	ck_assert_uint_eq(counter_value(c, 1, 901, 60), 0);
	drop();
}
END_TEST

/* Many processes at once lose no event, and make no key twice. */
START_TEST(processes_count_together)
{
	enum { CHILDREN = 4, KEYS = 50, ROUNDS = 2000 };

	make(1000);
	for (int i = 0; i < CHILDREN; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < KEYS * ROUNDS; n++) {
			char key[16];

			snprintf(key, sizeof(key), "k%d", n % KEYS);
			counter_add(table, counters_get(table, key, 5), 0, 1, 5, 60);
		}
		_exit(0);
	}
	for (int i = 0; i < CHILDREN; i++)
		wait(NULL);
	ck_assert_uint_eq(counters_sweep(table, 0, size, 0), KEYS);
	for (int i = 0; i < KEYS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_uint_eq(
		    counter_value(counters_find(table, key), 0, 5, 60), CHILDREN * ROUNDS);
	}
	drop();
}
END_TEST

/* A million keys in a table for a hundred: what counts something at present is never forgotten. */
START_TEST(memory_is_bounded)
{
	struct counter *held;

	make(100);
	held = counters_get(table, "held", 1);
	counter_enter(table, held, -1, 1);
	for (unsigned i = 0; i < 1000000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "smtp:%u", i);
		ck_assert_ptr_nonnull(counters_get(table, key, 2 + i / 1000));
	}
	ck_assert_ptr_eq(counters_find(table, "held"), held);
	ck_assert_uint_le(counters_sweep(table, 0, size, 0), counters_capacity(table));
	ck_assert_ptr_nonnull(counters_find(table, "smtp:999999"));
	counter_leave(table, held, -1);
	ck_assert_uint_eq(counters_sweep(table, 0, size, 100000), 0);
	drop();
}
END_TEST

START_TEST(nothing_is_counted_when_all_places_are_busy)
{
	make(COUNTER_WAYS);
	ck_assert_uint_eq(counters_capacity(table), COUNTER_WAYS);
	for (int i = 0; i < COUNTER_WAYS; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		ck_assert_uint_eq(counter_enter(table, counters_get(table, key, 1), -1, 1), 1);
	}
	ck_assert_ptr_null(counters_get(table, "one more", 1));
	drop();
}
END_TEST

START_TEST(the_dead_give_back_what_they_had)
{
	struct counter *c;
	int holder;

	make(100);
	c = counters_get(table, "k", 1);
	holder = counters_take_holder(table);
	ck_assert_int_ge(holder, 0);
	ck_assert_uint_eq(counter_enter(table, c, holder, 1), 1);
	ck_assert_uint_eq(counter_enter(table, c, -1, 1), 2);
	counters_release_holder(table, holder); /* its process is gone */
	ck_assert_uint_eq(atomic_load(&c->current), 1);
	ck_assert_int_eq(counters_take_holder(table), holder);
	counters_release_holder(table, holder); /* it had nothing */
	ck_assert_uint_eq(atomic_load(&c->current), 1);
	counter_leave(table, c, -1);
	counter_leave(table, c, -1); /* never below zero */
	ck_assert_uint_eq(atomic_load(&c->current), 0);
	drop();
}
END_TEST

START_TEST(peaks)
{
	char key[COUNTER_KEY_SIZE];
	uint32_t value;
	uint64_t when;

	make(100);
	ck_assert(!counters_peak(table, 0, &value, &when, key));
	counter_add(table, counters_get(table, "a", 7), 0, 3, 7, 60);
	counter_add(table, counters_get(table, "b", 8), 0, 2, 8, 60);
	ck_assert(counters_peak(table, 0, &value, &when, key));
	ck_assert_uint_eq(value, 3);
	ck_assert_uint_eq(when, 7);
	ck_assert_str_eq(key, "a");
	counters_reset_peaks(table);
	ck_assert(!counters_peak(table, 0, &value, &when, key));
	drop();
}
END_TEST

TCase *counters_tcase(void)
{
	TCase *tc = tcase_create("counters");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, rates_run_for_a_period);
	tcase_add_test(tc, processes_count_together);
	tcase_add_test(tc, memory_is_bounded);
	tcase_add_test(tc, nothing_is_counted_when_all_places_are_busy);
	tcase_add_test(tc, the_dead_give_back_what_they_had);
	tcase_add_test(tc, peaks);
	return tc;
}
