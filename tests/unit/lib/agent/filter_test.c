/* SPDX-License-Identifier: ISC */
#include "lib/agent/filter.h"

#include "lib/base/attr.h"
#include "lib/table/table.h"
#include "tests/unit/lib/agent/suite.h"

static const struct {
	const char *tables, *dsn, *reason, *dsn_out, *reason_out; /* NULL: as before */
} cases[] = {
    {"", "4.7.5", "x", NULL, NULL},
    {"pcre:{{/^4(.*TLS is required.*)/ 5$1}}", "4.7.4", "TLS is required, but", "5.7.4",
        "TLS is required, but"},
    {"pcre:{{/^5\\.1\\.1 (.*)/ 4.1.1 ($1)}}", "5.1.1", "who", "4.1.1", "(who)"},
    {"pcre:{{/^(2\\S+ delivered to file).+/ $1}}", "2.0.0", "delivered to file: /x", "2.0.0",
        "delivered to file"},
    /* another class, no status, no text, a table that fails: all stays as it is */
    {"pcre:{{/./ 5.0.0 no}}", "2.0.0", "ok", NULL, NULL},
    {"pcre:{{/./ 2.0.0 yes}}", "5.0.0", "no", NULL, NULL},
    {"pcre:{{/./ whatever}}", "5.0.0", "no", NULL, NULL},
    {"pcre:{{/./ 5.0.0}}", "5.1.0", "no", NULL, NULL},
    {"fail:x", "5.0.0", "no", NULL, NULL},
    {"pcre:{{/^9/ 5.0.0 x}}", "5.0.0", "no", NULL, NULL},
};

START_TEST(filters)
{
	struct table_chain *tables = table_chain_open(cases[_i].tables, 0);
	const char *dsn = cases[_i].dsn, *reason = cases[_i].reason;
	struct arena arena = {0};

	status_filter(tables, "ID", &arena, &dsn, &reason);
	ck_assert_str_eq(dsn, cases[_i].dsn_out ? cases[_i].dsn_out : cases[_i].dsn);
	ck_assert_str_eq(reason, cases[_i].reason_out ? cases[_i].reason_out : cases[_i].reason);
	if (!cases[_i].dsn_out) /* who asks sees by the pointer whether something changed */
		ck_assert_ptr_eq(dsn, cases[_i].dsn);
	arena_fini(&arena);
	table_chain_close(&tables);
}
END_TEST

TCase *filter_tcase(void)
{
	TCase *tc = tcase_create("filter");

	tcase_add_loop_test(tc, filters, 0, (int)ARRAY_LEN(cases));
	return tc;
}
