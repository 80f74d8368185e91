/* SPDX-License-Identifier: ISC */
/* One destination fills the active queue: who is told what, and how often. */
#include "qmgr/clog.h"

#include <string.h>

#include "tests/unit/qmgr/fixture.h"
#include "tests/unit/qmgr/suite.h"

static const struct {
	struct clog clog;
	enum clog_cause cause;
} cases[] = {
    {{.queued = 5000, .messages = 10000, .active_limit = 20000, .busy = 19, .limit = 20},
        CLOG_LIMIT},
    {{.queued = 50, .messages = 100, .active_limit = 100, .busy = 10, .window = 80, .limit = 90},
        CLOG_ACTIVE},
    {{.queued = 50, .messages = 100, .active_limit = 100, .busy = 10, .window = 20, .others = 3},
        CLOG_SHARED},
    {{.queued = 50, .messages = 100, .active_limit = 100, .busy = 10, .window = 20, .limit = 90},
        CLOG_SLOW},
};

START_TEST(causes)
{
	ck_assert_int_eq(clog_cause(&cases[_i].clog), cases[_i].cause);
}
END_TEST

static void many(const char *nexthop, int count)
{
	char id[QUEUE_ID_MAX];

	while (count-- > 0)
		fixture_note(id, 1, "smtp", nexthop);
	fixture_turn();
}

static int warned(void)
{
	int n = 0;

	fixture_logged("");
	for (const char *at = str_text(&fx.log);
	     (at = strstr(at, "warning: mail for a.test is using up")); at++)
		n++;
	return n;
}

START_TEST(warns_now_and_then)
{
	fixture_open("qmgr_message_active_limit = 100\n");
	fixture_serve("smtp");
	fixture_start();
	many("b.test", 20);
	many("a.test", 20);
	ck_assert(!fixture_logged("using up"));
	many("a.test", 1);
	ck_assert(fixture_logged("warning: mail for a.test is using up 21 of 41 active queue "
	                         "entries"));
	ck_assert(fixture_logged("warning: other mail may be slow"));
	ck_assert(fixture_logged("warning: a transport of its own in master.cf would keep a.test"));
	ck_assert(fixture_logged("qmgr_clog_warn_time = 0"));
	many("a.test", 5);
	ck_assert_int_eq(warned(), 1);
	fixture_pass(301000);
	many("a.test", 1);
	ck_assert_int_eq(warned(), 2);
	fixture_close();
}
END_TEST

START_TEST(off)
{
	fixture_open("qmgr_message_active_limit = 100\nqmgr_clog_warn_time = 0\n");
	fixture_serve("smtp");
	fixture_start();
	many("a.test", 50);
	ck_assert(!fixture_logged("using up"));
	fixture_close();
}
END_TEST

TCase *clog_tcase(void)
{
	TCase *tc = tcase_create("clog");

	tcase_add_loop_test(tc, causes, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, warns_now_and_then);
	tcase_add_test(tc, off);
	return tc;
}
