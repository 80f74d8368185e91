/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/conf/core.h"
#include "lib/conf/names.h"
#include "tests/unit/lib/conf/suite.h"

static const char main_cf[] = "myhostname = a.b\n"       /* builtin */
                              "myhostnam = x\n"          /* misspelt */
                              "smtpd_milters = inet:x\n" /* no effect here */
                              "own = 1\n"                /* referenced below */
                              "relay_domains = $own $mydb_a\n"
                              "smtpd_restriction_classes = strict\n"
                              "strict = reject\n"
                              "foo_destination_recipient_limit = 1\n"
                              "bar_destination_recipient_limit = 1\n" /* no such service */
                              "foo_time_limit = 5\n"
                              "virtual_alias_maps = mysql:mydb\n"
                              "mydb_hosts = x\n"
                              "quite_unlike_anything_known = 1\n"
                              "virtual_maps = x\n";
static const char master_cf[] = "foo unix - - n - - pipe -o max_idel=3 -o max_idle=4\n"
                                "smtp unix - - n - - smtp\n";

static const struct conf_table *const tables[] = {&core_params, NULL};

struct fixture {
	struct conf *conf;
	struct master_cf services;
	struct conf_names *names;
};

static void setup(struct fixture *f)
{
	struct err err;

	ck_assert_int_eq(
	    conf_load_text("/x", "main.cf", main_cf, strlen(main_cf), &f->conf, &err), 0);
	ck_assert_msg(
	    master_cf_parse("master.cf", master_cf, strlen(master_cf), &f->services, &err) == 0,
	    "%s", err.text);
	f->names = conf_names_new(f->conf, tables, &f->services);
}

static void teardown(struct fixture *f)
{
	conf_names_free(&f->names);
	master_cf_fini(&f->services);
	conf_free(&f->conf);
}

static const struct {
	const char *name;
	enum conf_name_class class;
} cases[] = {
    {"myhostname", CONF_NAME_BUILTIN},
    {"soft_bounce", CONF_NAME_BUILTIN},
    {"smtpd_milters", CONF_NAME_BUILTIN},
    {"smtpd_recipient_limit", CONF_NAME_BUILTIN},
    {"myhostnam", CONF_NAME_UNKNOWN},
    {"own", CONF_NAME_USER},
    {"strict", CONF_NAME_USER},
    {"mydb_hosts", CONF_NAME_USER},
    {"mydb_a", CONF_NAME_UNKNOWN}, /* referenced, never set */
    {"virtual_maps", CONF_NAME_USER},
    {"foo_destination_recipient_limit", CONF_NAME_SERVICE},
    {"foo_time_limit", CONF_NAME_SERVICE},
    {"smtp_initial_destination_concurrency", CONF_NAME_SERVICE},
    {"bar_destination_recipient_limit", CONF_NAME_UNKNOWN},
    {"", CONF_NAME_UNKNOWN},
};

START_TEST(classes)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(conf_names_class(f.names, cases[_i].name), cases[_i].class);
	teardown(&f);
}
END_TEST

START_TEST(check_reports)
{
	struct conf_report report = {0};
	struct fixture f;

	setup(&f);
	conf_check_names(f.conf, f.names, &f.services,
	    CONF_CHECK_UNKNOWN | CONF_CHECK_EFFECT | CONF_CHECK_DEPRECATED, &report);
	ck_assert_str_eq(str_text(&report.warned),
	    "main.cf: line 2: myhostnam: unknown parameter, did you mean myhostname?\n"
	    "main.cf: line 9: bar_destination_recipient_limit: unknown parameter\n"
	    "main.cf: line 13: quite_unlike_anything_known: unknown parameter\n"
	    "main.cf: line 14: support for parameter \"virtual_maps\" will be removed; instead, "
	    "specify \"virtual_alias_maps\"\n"
	    "master.cf: line 1: foo/unix: -o: max_idel: unknown parameter, did you mean "
	    "max_idle?\n"
	    "main.cf: 6 parameters are known, but have no effect in this version: smtpd_milters "
	    "(line 3), smtpd_restriction_classes (line 6), foo_destination_recipient_limit (line "
	    "8), foo_time_limit (line 10), virtual_alias_maps (line 11), virtual_maps (line "
	    "14)\n");
	ck_assert_uint_eq(report.warnings, 6);
	ck_assert_uint_eq(report.problems, 0);
	conf_report_fini(&report);
	teardown(&f);
}
END_TEST

START_TEST(list_is_sorted_and_whole)
{
	const char *const *list;
	struct fixture f;
	size_t n, found = 0;

	setup(&f);
	n = conf_names_list(f.names, &list);
	ck_assert_uint_gt(n, 850);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ck_assert_str_lt(list[i - 1], list[i]);
		found += strcmp(list[i], "foo_time_limit") == 0 || strcmp(list[i], "own") == 0 ||
		         strcmp(list[i], "virtual_maps") == 0;
		ck_assert_str_ne(list[i], "myhostnam");
		ck_assert_str_ne(list[i], "fallback_relay");
	}
	ck_assert_uint_eq(found, 3);
	teardown(&f);
}
END_TEST

static const struct {
	const char *name, *nearest;
} misspelt[] = {
    {"mydestnation", "mydestination"},
    {"mynetwork", "mynetworks"},
    {"smtp_tls_polcy_maps", "smtp_tls_policy_maps"},
    {"relayhsot", "relayhost"},
    {"smtpd_recipient_restriction", "smtpd_recipient_restrictions"},
    {"xyzzy", NULL},
    {"x", NULL},
};

START_TEST(nearest)
{
	struct fixture f;
	const char *got;

	setup(&f);
	got = conf_names_nearest(f.names, misspelt[_i].name);
	if (misspelt[_i].nearest) {
		ck_assert_ptr_nonnull(got);
		ck_assert_str_eq(got, misspelt[_i].nearest);
	} else {
		ck_assert_ptr_null(got);
	}
	teardown(&f);
}
END_TEST

TCase *names_tcase(void)
{
	TCase *tcase = tcase_create("names");

	tcase_add_loop_test(tcase, classes, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, check_reports);
	tcase_add_test(tcase, list_is_sorted_and_whole);
	tcase_add_loop_test(tcase, nearest, 0, ARRAY_LEN(misspelt));
	return tcase;
}
