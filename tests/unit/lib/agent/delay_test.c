/* SPDX-License-Identifier: ISC */
#include "lib/agent/delay.h"
#include "suite.h"

static const struct {
	int64_t us;
	const char *want;
} delays[] = {
    {0, "0"},
    {-5000000, "0"},
    {4000, "0"},
    {5001, "0.01"},
    {50000, "0.05"},
    {100000, "0.1"},
    {990000, "0.99"},
    {994000, "0.99"},
    {999000, "1"},
    {1000000, "1"},
    {1240000, "1.2"},
    {9900000, "9.9"},
    {9960000, "10"},
    {10000000, "10"},
    {10400000, "10"},
    {10600000, "11"},
    {37000000, "37"},
    {4211000000, "4211"},
    {432000000000, "432000"},
};

START_TEST(text)
{
	char out[DELAY_TEXT_MAX];

	delay_text(out, delays[_i].us);
	ck_assert_str_eq(out, delays[_i].want);
}
END_TEST

START_TEST(four_parts)
{
	struct delay_times t = {.arrival_us = 1000000,
	    .active_us = 1500000,
	    .handoff_us = 1700000,
	    .conn_us = 1800000,
	    .sent_us = 2000000,
	    .done_us = 5000000};
	char out[128];

	delay_print(out, sizeof(out), &t);
	ck_assert_str_eq(out, "delay=4, delays=0.5/0.2/0.3/3");
	t.conn_us = t.sent_us = 0; /* never connected */
	delay_print(out, sizeof(out), &t);
	ck_assert_str_eq(out, "delay=4, delays=0.5/0.2/0/3.3");
}
END_TEST

TCase *delay_tcase(void)
{
	TCase *tc = tcase_create("delay");

	tcase_add_loop_test(tc, text, 0, sizeof(delays) / sizeof(delays[0]));
	tcase_add_test(tc, four_parts);
	return tc;
}
