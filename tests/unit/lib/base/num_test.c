/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/num.h"
#include "suite.h"

static const struct {
	const char *text;
	uint64_t max;
	bool ok;
	uint64_t value;
} u64s[] = {
    {"0", UINT64_MAX, true, 0},
    {"007", 7, true, 7},
    {"8", 7, false, 0},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, 0},
    {"99999999999999999999999", UINT64_MAX, false, 0},
    {"", 9, false, 0},
    {"-1", 9, false, 0},
    {"+1", 9, false, 0},
    {" 1", 9, false, 0},
    {"1 ", 9, false, 0},
    {"0x1", 9, false, 0},
    {"1e1", 99, false, 0},
};

START_TEST(unsigned_numbers)
{
	uint64_t out = 4711;

	ck_assert_int_eq(
	    num_u64(u64s[_i].text, strlen(u64s[_i].text), u64s[_i].max, &out), u64s[_i].ok);
	ck_assert_uint_eq(out, u64s[_i].ok ? u64s[_i].value : 4711);
}
END_TEST

static const struct {
	const char *text;
	int min, max;
	bool ok;
	int value;
} ints[] = {
    {"0", -5, 5, true, 0},
    {"-5", -5, 5, true, -5},
    {"-6", -5, 5, false, 0},
    {"6", -5, 5, false, 0},
    {"2147483647", INT32_MIN, INT32_MAX, true, INT32_MAX},
    {"2147483648", INT32_MIN, INT32_MAX, false, 0},
    {"-2147483648", INT32_MIN, INT32_MAX, true, INT32_MIN},
    {"-2147483649", INT32_MIN, INT32_MAX, false, 0},
    {"", -5, 5, false, 0},
    {"-", -5, 5, false, 0},
    {"--1", -5, 5, false, 0},
    {"1x", -5, 5, false, 0},
};

START_TEST(signed_numbers)
{
	int out = 4711;

	ck_assert_int_eq(num_int(ints[_i].text, ints[_i].min, ints[_i].max, &out), ints[_i].ok);
	ck_assert_int_eq(out, ints[_i].ok ? ints[_i].value : 4711);
}
END_TEST

START_TEST(little_endian)
{
	unsigned char raw[9];

	le_put64(raw + 1, 0x0102030405060708);
	ck_assert_mem_eq(raw + 1, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	ck_assert_uint_eq(le_get64(raw + 1), 0x0102030405060708);
	ck_assert_uint_eq(le_get32(raw + 1), 0x05060708);
	ck_assert_uint_eq(le_get16(raw + 1), 0x0708);
	le_put32(raw + 1, 0xfffefdfc);
	ck_assert_uint_eq(le_get32(raw + 1), 0xfffefdfc);
}
END_TEST

TCase *num_tcase(void)
{
	TCase *tc = tcase_create("num");

	tcase_add_loop_test(tc, unsigned_numbers, 0, sizeof(u64s) / sizeof(u64s[0]));
	tcase_add_loop_test(tc, signed_numbers, 0, sizeof(ints) / sizeof(ints[0]));
	tcase_add_test(tc, little_endian);
	return tc;
}
