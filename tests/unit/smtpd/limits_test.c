/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/attr.h"
#include "smtpd/limits.h"
#include "suite.h"

static const struct {
	const char *text;
	struct quota want; /* a limit is stored as N + 1 */
	const char *error; /* NULL: none */
} quotas[] = {
    {"messages=100/h", {101, 0, 0, 0, QUOTA_DEFER}, NULL},
    {"messages=100/h,500/d recipients=1000/day action=hold", {101, 501, 0, 1001, QUOTA_HOLD}, NULL},
    {" Recipients=0/hour\tACTION=Reject ", {0, 0, 1, 0, QUOTA_REJECT}, NULL},
    {"", {0}, "empty"},
    {"messages=100", {0}, "\"100\": expected N/h or N/d"},
    {"messages=100/w", {0}, "\"100/w\": expected N/h or N/d"},
    {"messages=/h", {0}, "\"/h\": expected"},
    {"messages=-1/h", {0}, "\"-1/h\": expected"},
    {"messages=4294967296/h", {0}, "expected N/h"},
    {"messages=1/h, 2/d", {0}, "\"2/d\": expected messages="},
    {"mails=1/h", {0}, "\"mails=1/h\": expected messages="},
    {"messages", {0}, "\"messages\": expected"},
    {"messages=1/h action=bounce", {0}, "\"bounce\": expected defer, reject or hold"},
};

START_TEST(quotas_are_read)
{
	struct quota got;
	struct err err;
	int rc = quota_parse(quotas[_i].text, &got, &err);

	if (quotas[_i].error) {
		ck_assert_int_eq(rc, -1);
		ck_assert_msg(strstr(err.text, quotas[_i].error), "%s", err.text);
		return;
	}
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_uint_eq(got.messages_hour, quotas[_i].want.messages_hour);
	ck_assert_uint_eq(got.messages_day, quotas[_i].want.messages_day);
	ck_assert_uint_eq(got.recipients_hour, quotas[_i].want.recipients_hour);
	ck_assert_uint_eq(got.recipients_day, quotas[_i].want.recipients_day);
	ck_assert_int_eq(got.action, quotas[_i].want.action);
}
END_TEST

START_TEST(long_names_stay_different)
{
	char a[COUNTER_KEY_SIZE], b[COUNTER_KEY_SIZE], name[200];

	memset(name, 'x', sizeof(name));
	name[198] = 'A';
	name[199] = '\0';
	anvil_account_key("sender", name, a);
	name[198] = 'b';
	anvil_account_key("sender", name, b);
	ck_assert_str_ne(a, b);
	ck_assert_uint_lt(strlen(a), COUNTER_KEY_SIZE);
	name[198] = 'B';
	anvil_account_key("sender", name, a);
	ck_assert_str_eq(a, b); /* whatever the case of letters that were cut */
	anvil_account_key("login", "Joe@Example.COM", a);
	ck_assert_str_eq(a, "login:joe@example.com");
}
END_TEST

TCase *limits_tcase(void)
{
	TCase *tc = tcase_create("limits");

	tcase_add_loop_test(tc, quotas_are_read, 0, (int)ARRAY_LEN(quotas));
	tcase_add_test(tc, long_names_stay_different);
	return tc;
}
