/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/queue/id.h"
#include "suite.h"

/* The long form was reckoned apart: digits 0-9, then consonants; z is not used in base 51. */
static const struct {
	int64_t time_us;
	uint64_t number;
	bool long_form;
	const char *want, *hash;
} ids[] = {
    {1700000000258285, 0x1A2B3C, false, "3F0ED1A2B3C", "3F0ED"},
    {1700000000000000, 1, false, "000001", "00000"},
    {1700000000999999, 0xFFFFFFFFFF, false, "F423FFFFFFFFFFF", "F423F"},
    {0, 0, true, "0000000000z0", "00000"},
    {51 * 1000000LL + 51, 50, true, "00000z000zzy", "00033"},
    {52 * 1000000LL + 52, 51, true, "0000100010z10", "00034"},
    {1000000, 10, true, "0000010000zB", "00000"},
    {1700000000258285, 123456789, true, "4SVLCh1qW1zLDg6L", "3F0ED"},
    {999999, 13, true, "00000075plzF", "F423F"},
};

START_TEST(made)
{
	char id[QUEUE_ID_MAX], hash[8];

	queue_id_make(id, ids[_i].time_us, ids[_i].number, ids[_i].long_form);
	ck_assert_str_eq(id, ids[_i].want);
	ck_assert(queue_id_valid(id));
	ck_assert(queue_id_hash_text(id, hash));
	ck_assert_str_eq(hash, ids[_i].hash);
}
END_TEST

/* Long ids sort by time: what came first is first in a listing. */
START_TEST(long_ids_sort)
{
	char before[QUEUE_ID_MAX] = "", id[QUEUE_ID_MAX];

	for (int64_t t = 1700000000000000; t < 1700000100000000; t += 7777777) {
		queue_id_make(id, t, 123456789, true);
		ck_assert_int_eq(strlen(id), 11 + strlen(strrchr(id, 'z') + 1));
		ck_assert_int_lt(strcmp(before, id), 0);
		strcpy(before, id);
	}
	queue_id_make(id, INT64_MAX, UINT64_MAX, true);
	ck_assert(queue_id_valid(id));
}
END_TEST

static const struct {
	const char *text;
	bool valid;
} names[] = {
    {"3F0ED1A2B3C", true},
    {"4SVmDR0YRqz5J", true},
    {"", false},
    {"12345", false},
    {"../../etc/passwd", false},
    {"3F0ED1A2B3C/", false},
    {"3F0ED 1A2B", false},
    {"tmp.3F0ED1A2B3C", false},
    {"0123456789012345678901234567890123456789", true},
    {"01234567890123456789012345678901234567890", false},
};

START_TEST(valid_or_not)
{
	ck_assert_int_eq(queue_id_valid(names[_i].text), names[_i].valid);
}
END_TEST

TCase *id_tcase(void)
{
	TCase *tc = tcase_create("id");

	tcase_add_loop_test(tc, made, 0, sizeof(ids) / sizeof(ids[0]));
	tcase_add_test(tc, long_ids_sort);
	tcase_add_loop_test(tc, valid_or_not, 0, sizeof(names) / sizeof(names[0]));
	return tc;
}
