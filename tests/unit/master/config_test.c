/* SPDX-License-Identifier: ISC */
#include "master/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/master/suite.h"

static char dir[] = "/tmp/configXXXXXX";

static void save(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void setup(void)
{
	char path[128];

	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/smtpd", dir);
	ck_assert_int_eq(symlink("/bin/true", path), 0);
}

static void teardown(void)
{
	static const char *const names[] = {"smtpd", "main.cf", "master.cf"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static const struct {
	const char *main_cf; /* after daemon_directory; NULL: no file */
	const char *master_cf;
	int planned;          /* -1: refused */
	const char *tells[3]; /* parts of the problems or warnings */
} cases[] = {
    {"", "127.0.0.1:1 inet n - n - - smtpd\n", 1, {NULL}},
    {"", "127.0.0.1:1 inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n", 1, {NULL}},
    {"", "x unix n - n - - nqmgr\n", 0, {"are ignored: x/unix (nqmgr)"}},
    {"", "x unix n - n - - ../../bin/sh\n", -1, {"master.cf: line 1", "expected"}},
    {"master_service_disable = inet\n", "127.0.0.1:1 inet n - n - - smtpd\n", 0, {NULL}},
    {"master_service_disable = 127.0.0.1:1/inet\n",
        "127.0.0.1:1 inet n - n - - smtpd\n127.0.0.1:2 inet n - n - - smtpd\n", 1, {NULL}},
    {"master_service_disable = !x/unix unix\n", "x unix n - n - - smtpd\ny unix n - n - - smtpd\n",
        1, {NULL}},
    {"", "x unix n - n - - smtpd\nx pass n - n - - smtpd\n", -1,
        {"master.cf: line 2: service x", "line 1", "expected a socket of its own"}},
    {"max_idle = long\n", "x unix n - n - many smtpd\n", -1,
        {"main.cf: line 2: max_idle = long: expected", "master.cf: line 1", "many"}},
    {NULL, "x unix n - n - - smtpd\n", -1, {"main.cf"}},
    {"", NULL, -1, {"master.cf"}},
};

START_TEST(loads)
{
	char main_cf[512];
	struct config *config;
	struct str warnings = {0};
	struct problems p;
	const char *said;

	snprintf(main_cf, sizeof(main_cf), "daemon_directory = %s\n%s", dir,
	    cases[_i].main_cf ? cases[_i].main_cf : "");
	if (cases[_i].main_cf)
		save("main.cf", main_cf);
	if (cases[_i].master_cf)
		save("master.cf", cases[_i].master_cf);
	problems_init(&p);
	config = config_load(dir, 7, &p);
	ck_assert_msg(
	    (config ? (int)config->plan_count : -1) == cases[_i].planned, "%s", str_text(&p.text));
	if (config)
		str_printf(&warnings, "%s%s", str_text(&config->warnings),
		    str_text(&config->plan_warnings));
	said = config ? str_text(&warnings) : str_text(&p.text);
	for (size_t i = 0; i < 3 && cases[_i].tells[i]; i++)
		ck_assert_msg(strstr(said, cases[_i].tells[i]) != NULL, "\"%s\" is not in: %s",
		    cases[_i].tells[i], said);
	ck_assert_int_eq(config ? 0 : 1, p.count > 0);
	config_free(&config);
	str_fini(&warnings);
	problems_fini(&p);
}
END_TEST

START_TEST(each_problem_once)
{
	struct problems p;

	problems_init(&p);
	problems_add_lines(&p, "a\nb\na\n\n");
	problems_add(&p, "%s", "b");
	problems_add(&p, "%s", "c");
	ck_assert_uint_eq(p.count, 3);
	ck_assert_str_eq(str_text(&p.text), "a\nb\nc\n");
	problems_fini(&p);
}
END_TEST

TCase *config_tcase(void)
{
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, loads, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, each_problem_once);
	return tc;
}
