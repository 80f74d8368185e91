/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include "error/error.h"
#include "lib/base/attr.h"

static const struct {
	const char *program, *service;
	enum error_mode mode;
} names[] = {
    {"/usr/libexec/postern/error", "error", ERROR_BOUNCE},
    {"error", "retry", ERROR_RETRY},
    {"/x/retry", "whatever", ERROR_RETRY},
    {"/x/discard", "discard", ERROR_DISCARD},
    {"discard", "retry", ERROR_DISCARD},
    {"error", "noone", ERROR_BOUNCE},
};

START_TEST(mode_by_name)
{
	ck_assert_int_eq(error_mode_of(names[_i].program, names[_i].service), names[_i].mode);
}
END_TEST

static const struct {
	enum error_mode mode;
	const char *nexthop, *dsn, *text;
} texts[] = {
    {ERROR_BOUNCE, "5.1.1 user unknown", "5.1.1", "user unknown"},
    {ERROR_BOUNCE, "no such place", "5.0.0", "no such place"},
    {ERROR_BOUNCE, "4.7.1 odd", "5.7.1", "odd"},
    {ERROR_BOUNCE, "", "5.0.0", "undeliverable address"},
    {ERROR_BOUNCE, "5.1.1", "5.1.1", "undeliverable address"},
    {ERROR_RETRY, "4.4.1 later", "4.4.1", "later"},
    {ERROR_RETRY, "5.1.1 x", "4.1.1", "x"},
    {ERROR_RETRY, "", "4.0.0", "delivery temporarily suspended"},
    {ERROR_DISCARD, "example.com", "2.0.0", "example.com"},
    {ERROR_DISCARD, "2.1.5   silently", "2.1.5", "silently"},
    {ERROR_DISCARD, "", "2.0.0", "discarded"},
};

START_TEST(text_of_nexthop)
{
	char dsn[12];
	const char *text = error_text(texts[_i].mode, texts[_i].nexthop, dsn);

	ck_assert_str_eq(dsn, texts[_i].dsn);
	ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

TCase *agent_tcase(void)
{
	TCase *tcase = tcase_create("agent");

	tcase_add_loop_test(tcase, mode_by_name, 0, ARRAY_LEN(names));
	tcase_add_loop_test(tcase, text_of_nexthop, 0, ARRAY_LEN(texts));
	return tcase;
}
