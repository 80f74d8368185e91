/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "suite.h"
#include "tlsmgr/tlsmgr.h"

static struct ticket_keys keys;
static struct arena arena;

static void setup(void)
{
	keys = (struct ticket_keys){.lifetime_s = 100};
}

static void teardown(void)
{
	tickets_wipe(&keys);
	arena_fini(&arena);
}

static struct tlsmgr_ticket_key find(const char *name, int64_t at_s)
{
	struct tlsmgr_ticket_key key;

	tickets_find(&keys, name, 1000000 + at_s * 1000, &arena, &key);
	return key;
}

START_TEST(a_key_is_current_for_half_a_life)
{
	struct tlsmgr_ticket_key first = find("", 0), again = find("", 49), next = find("", 50);

	ck_assert_uint_eq(first.found, 1);
	ck_assert_uint_eq(strlen(first.name), 2 * TICKET_NAME_LEN);
	ck_assert_uint_eq(strlen(first.cipher_key), 2 * TICKET_SECRET_LEN);
	ck_assert_str_ne(first.cipher_key, first.mac_key);
	ck_assert_uint_eq(first.current_s, 50);
	ck_assert_uint_eq(first.accepted_s, 150);
	ck_assert_str_eq(first.name, again.name);
	ck_assert_uint_eq(again.current_s, 1);
	ck_assert_str_ne(first.name, next.name);
	ck_assert_str_ne(first.cipher_key, next.cipher_key);
}
END_TEST

START_TEST(tickets_of_an_old_key_are_taken_for_a_life)
{
	struct tlsmgr_ticket_key first = find("", 0);

	find("", 60);
	ck_assert_uint_eq(find(first.name, 60).found, 2);
	ck_assert_str_eq(find(first.name, 60).mac_key, first.mac_key);
	find("", 120); /* a third one: the first is still taken */
	ck_assert_uint_eq(find(first.name, 149).found, 2);
	ck_assert_uint_eq(find(first.name, 150).found, 0);
	ck_assert_uint_eq(find(first.name, 140).found, 0); /* forgotten is forgotten */
}
END_TEST

/* A reload: the next tlsmgr has the keys, the current one goes on, and its times are as they were.
 */
START_TEST(keys_are_inherited)
{
	struct tlsmgr_ticket_key old = find("", 0), current = find("", 60), left[3];
	struct ticket_keys before = keys;
	struct err err;
	size_t count = 0;

	while (tickets_bequeath(&before, count, 1000000 + 70 * 1000, &arena, &left[count]))
		count++;
	ck_assert_uint_eq(count, 2);
	tickets_wipe(&keys);
	for (size_t i = count; i-- > 0;) /* in any order */
		ck_assert_int_eq(tickets_inherit(&keys, &left[i], 1000000 + 70 * 1000, &err), 0);
	ck_assert_str_eq(find("", 71).name, current.name);
	ck_assert_str_eq(find(old.name, 71).mac_key, old.mac_key);
	ck_assert_uint_eq(find(old.name, 149).found, 2);
	ck_assert_uint_eq(find(old.name, 151).found, 0);
	ck_assert_str_ne(find("", 111).name, current.name);
}
END_TEST

START_TEST(a_key_made_meanwhile_stays_the_newest)
{
	struct tlsmgr_ticket_key old = find("", 0), fresh, bad = old;
	struct err err;

	tickets_wipe(&keys);
	fresh = find("", 1);
	ck_assert_int_eq(tickets_inherit(&keys, &old, 1000000 + 1000, &err), 0);
	ck_assert_str_eq(find("", 2).name, fresh.name);
	ck_assert_uint_ne(find(old.name, 2).found, 0);
	bad.mac_key = "00";
	ck_assert_int_eq(tickets_inherit(&keys, &bad, 1000000, &err), -1);
	bad.mac_key = "zz";
	ck_assert_int_eq(tickets_inherit(&keys, &bad, 1000000, &err), -1);
	for (int i = 0; i < 10; i++) /* however many come */
		ck_assert_int_eq(tickets_inherit(&keys, &old, 1000000 + 1000, &err), 0);
	ck_assert_str_eq(find("", 2).name, fresh.name);
}
END_TEST

START_TEST(unknown_names_find_nothing)
{
	find("", 0);
	ck_assert_uint_eq(find("00", 0).found, 0);
	ck_assert_uint_eq(find("nonsense that is no hexadecimal", 0).found, 0);
}
END_TEST

START_TEST(no_lifetime_no_keys)
{
	keys.lifetime_s = 0;
	ck_assert_uint_eq(find("", 0).found, 0);
}
END_TEST

TCase *tickets_tcase(void)
{
	TCase *tcase = tcase_create("tickets");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_key_is_current_for_half_a_life);
	tcase_add_test(tcase, tickets_of_an_old_key_are_taken_for_a_life);
	tcase_add_test(tcase, keys_are_inherited);
	tcase_add_test(tcase, a_key_made_meanwhile_stays_the_newest);
	tcase_add_test(tcase, unknown_names_find_nothing);
	tcase_add_test(tcase, no_lifetime_no_keys);
	return tcase;
}
