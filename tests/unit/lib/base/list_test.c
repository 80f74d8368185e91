/* SPDX-License-Identifier: ISC */
#include "lib/base/err.h"
#include "lib/base/list.h"
#include "suite.h"

#include <errno.h>
#include <string.h>

struct item {
	int n;
	struct list link;
};

static int as_number(struct list *head)
{
	int number = 0;

	LIST_EACH (node, head)
		number = number * 10 + LIST_ITEM(node, struct item, link)->n;
	return number;
}

START_TEST(ring)
{
	struct item items[5];
	struct list head;

	list_init(&head);
	ck_assert(list_empty(&head));
	for (int i = 0; i < 5; i++) {
		items[i].n = i + 1;
		list_init(&items[i].link);
	}
	list_remove(&items[0].link); /* in none: harmless */
	list_push(&head, &items[1].link);
	list_push(&head, &items[2].link);
	list_push_front(&head, &items[0].link);
	list_add_before(&items[2].link, &items[4].link);
	ck_assert_int_eq(as_number(&head), 1253);
	list_remove(&items[1].link);
	list_remove(&items[1].link);
	ck_assert_int_eq(as_number(&head), 153);
	LIST_EACH_SAFE (node, &head)
		list_remove(node);
	ck_assert(list_empty(&head));
}
END_TEST

START_TEST(errors)
{
	struct err err = {0};

	ck_assert_int_eq(err_set(&err, EBUSY, "no %s", "way"), -1);
	ck_assert_int_eq(err.code, EBUSY);
	ck_assert_str_eq(err.text, "no way");
	ck_assert_int_eq(err_prefix(&err, "%d: ", 7), -1);
	ck_assert_str_eq(err.text, "7: no way");
	errno = ENOENT;
	err_sys(&err, "open %s", "x");
	ck_assert_str_eq(err.text, "open x: No such file or directory");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_int_eq(err_set(NULL, 1, "x"), -1);
	ck_assert_int_eq(err_sys(NULL, "x"), -1);
	err_set(&err, 0, "%2000d", 1);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
	err_prefix(&err, "%600d", 1);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
}
END_TEST

TCase *list_tcase(void)
{
	TCase *tc = tcase_create("list");

	tcase_add_test(tc, ring);
	tcase_add_test(tc, errors);
	return tc;
}
