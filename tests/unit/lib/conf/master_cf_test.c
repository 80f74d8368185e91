/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/conf/master_cf.h"
#include "tests/unit/lib/conf/suite.h"

static const struct {
	const char *line, *message; /* NULL: accepted */
} cases[] = {
    {"smtp inet n - n - - smtpd", NULL},
    {"[::1]:25 inet n - y 0 0 smtpd", NULL},
    {"pickup fifo n - n 60? 1 pickup", NULL},
    {"postlog unix-dgram n - n - 1 postlogd", NULL},
    {"smtpd pass - - n - - smtpd -v -o a=b -oc=d -vv -o { e = f g }", NULL},
    {"x unix - n n - - pipe flags=F argv=/bin/x -o not-an-override", NULL},
    {"smtp", "line 1: the type column is missing"},
    {"smtp inet n - n - -", "line 1: the command column is missing"},
    {"smtp tcp n - n - - smtpd", "line 1: type \"tcp\": expected inet, unix"},
    {"smtp inet x - n - - smtpd", "line 1: private \"x\": expected y, n or -"},
    {"smtp inet n yes n - - smtpd", "line 1: unpriv \"yes\": expected y, n or -"},
    {"smtp inet n - 1 - - smtpd", "line 1: chroot \"1\": expected y, n or -"},
    {"smtp inet - - n - - smtpd", "line 1: private \"-\": expected n: an inet service"},
    {"smtp inet n - n 1h - smtpd", "line 1: wakeup \"1h\": expected seconds"},
    {"smtp inet n - n ? - smtpd", "line 1: wakeup \"?\": expected seconds"},
    {"smtp inet n - n -5 - smtpd", "line 1: wakeup \"-5\": expected seconds"},
    {"smtp inet n - n - many smtpd", "line 1: maxproc \"many\": expected a number"},
    {"smtp inet n - n - -1 smtpd", "line 1: maxproc \"-1\": expected a number"},
    {"smtp inet n - n - - /bin/sh", "line 1: command \"/bin/sh\": expected the name"},
    {"smtp inet n - n - - smtpd -o", "line 1: option \"-o\": expected a value"},
    {"smtp inet n - n - - smtpd -o a", "line 1: -o \"a\": expected name=value"},
    {"smtp inet n - n - - smtpd -o =a", "line 1: -o \"=a\": expected a parameter name"},
    {"smtp inet n - n - - smtpd -o {a=b", "expected a closing '}'"},
    {" smtp inet n - n - - smtpd", "expected a service name in the first column"},
};

START_TEST(entries)
{
	struct master_cf cf;
	struct err err = {0};
	int result =
	    master_cf_parse("master.cf", cases[_i].line, strlen(cases[_i].line), &cf, &err);

	if (cases[_i].message) {
		ck_assert_int_eq(result, -1);
		ck_assert_msg(strstr(err.text, cases[_i].message) != NULL, "%s", err.text);
		ck_assert_ptr_nonnull(strstr(err.text, "master.cf: line 1: "));
	} else {
		ck_assert_msg(result == 0, "%s", err.text);
		ck_assert_uint_eq(cf.count, 1);
		master_cf_fini(&cf);
	}
}
END_TEST

START_TEST(fields_and_options)
{
	static const char text[] = "# head\n"
	                           "smtp inet n - n - - smtpd\n"
	                           "  -v -o a=b\n"
	                           "# between\n"
	                           "  -o { c = d e } -D\n"
	                           "  -o f={1 2} extra -o g=h\n"
	                           "pickup unix n - - 60? 1 pickup\n"
	                           "x unix - n y - 0 pipe\n";
	struct master_cf cf;
	struct err err;
	const struct master_cf_entry *e;

	ck_assert_int_eq(master_cf_parse("master.cf", text, strlen(text), &cf, &err), 0);
	ck_assert_uint_eq(cf.count, 3);
	e = master_cf_find(&cf, "smtp", "inet");
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(e->line, 2);
	ck_assert(!e->private_ && e->unprivileged && !e->chroot);
	ck_assert_int_eq(e->max_procs, -1);
	ck_assert_int_eq(e->verbose, 1);
	ck_assert_uint_eq(e->override_count, 3);
	ck_assert_str_eq(e->overrides[1].name, "c");
	ck_assert_str_eq(e->overrides[1].value, "d e");
	ck_assert_str_eq(e->overrides[2].value, "{1 2}");
	ck_assert_uint_eq(e->arg_count, 11);
	ck_assert_str_eq(e->args[4], "{ c = d e }");
	e = master_cf_find(&cf, "pickup", "unix");
	ck_assert_int_eq(e->wakeup, 60);
	ck_assert(e->wakeup_if_used && !e->private_ && !e->chroot);
	ck_assert_int_eq(e->max_procs, 1);
	e = master_cf_find(&cf, "x", "unix");
	ck_assert(e->private_ && !e->unprivileged && e->chroot);
	ck_assert_int_eq(e->max_procs, 0);
	ck_assert_str_eq(e->columns[4], "y");
	ck_assert_ptr_null(master_cf_find(&cf, "x", "inet"));
	master_cf_fini(&cf);
}
END_TEST

START_TEST(last_of_two_wins)
{
	static const char text[] = "smtp inet n - n - 1 smtpd\n"
	                           "smtp unix - - n - - smtp\n"
	                           "smtp inet n - n - 2 smtpd\n";
	struct master_cf cf;
	struct err err;

	ck_assert_int_eq(master_cf_parse("master.cf", text, strlen(text), &cf, &err), 0);
	ck_assert_uint_eq(cf.count, 2);
	ck_assert_int_eq(cf.entries[0].max_procs, 2);
	ck_assert_ptr_nonnull(strstr(str_text(&cf.warnings), "line 3: smtp/inet is in line 1 too"));
	master_cf_fini(&cf);
}
END_TEST

TCase *master_cf_tcase(void)
{
	TCase *tcase = tcase_create("master_cf");

	tcase_add_loop_test(tcase, entries, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, fields_and_options);
	tcase_add_test(tcase, last_of_two_wins);
	return tcase;
}
