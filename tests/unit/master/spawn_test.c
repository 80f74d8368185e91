/* SPDX-License-Identifier: ISC */
#include "master/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "tests/unit/master/suite.h"

static const struct {
	const char *line; /* of master.cf */
	const char *argv; /* joined by "|" */
} cases[] = {
    {"smtp inet n - n - - smtpd\n", "smtpd|-s|1|-n|smtp|-t|inet|-u"},
    {"smtp inet n n y - - smtpd -v -vv\n", "smtpd|-s|1|-n|smtp|-t|inet|-c|-v|-v|-v"},
    {"submission inet n - n - - smtpd\n  -o syslog_name=postfix/submission\n"
     "  -o { smtpd_banner = two words }\n",
        "smtpd|-s|1|-n|submission|-t|inet|-u|-L|1|-o|syslog_name=postfix/submission|-o|"
        "smtpd_banner=two words"},
    {"maildrop unix - n n - - pipe\n  flags=DR user=vmail\n  argv=/bin/x -d ${recipient}\n",
        "pipe|-s|1|-n|maildrop|-t|unix|flags=DR|user=vmail|argv=/bin/x|-d|${recipient}"},
};

START_TEST(arguments)
{
	char s[] = "-s", one[] = "1", *lead[] = {s, one};
	struct master_cf cf = {0};
	struct arena arena = {0};
	struct str text = {0};
	struct err err;
	char **argv;

	ck_assert_msg(master_cf_parse("t", cases[_i].line, strlen(cases[_i].line), &cf, &err) == 0,
	    "%s", err.text);
	argv = spawn_arguments(&cf.entries[0], lead, 2, &arena);
	for (size_t i = 0; argv[i]; i++)
		str_printf(&text, "%s%s", i > 0 ? "|" : "", argv[i]);
	ck_assert_str_eq(str_text(&text), cases[_i].argv);
	str_fini(&text);
	arena_fini(&arena);
	master_cf_fini(&cf);
}
END_TEST

/* The program gets what it is to have at the right numbers, even where these cross, and no more. */
START_TEST(descriptors)
{
	char name[] = "sh", c[] = "-c";
	char script[] = "echo three >&3; echo four >&4; [ ! -e /proc/self/fd/5 ] && "
	                "[ ! -e /proc/self/fd/6 ] && exit 9";
	char *argv[] = {name, c, script, NULL};
	struct spawn spawn = {.path = "/bin/sh", .argv = argv, .fd_count = 5};
	char text[16] = "";
	int a = memfd_create("a", 0), b = memfd_create("b", 0), status;
	pid_t pid;

	dup2(a, 20);
	dup2(b, 21);
	close(a);
	close(b);
	ck_assert_int_eq(dup2(20, 4), 4); /* what is to become 3 sits at 4, and the other way */
	ck_assert_int_eq(dup2(21, 3), 3);
	spawn.fds[0] = spawn.fds[1] = spawn.fds[2] = -1;
	spawn.fds[3] = 4;
	spawn.fds[4] = 3;
	pid = spawn_process(&spawn);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 9);
	ck_assert_int_gt(pread(20, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, "three\n");
}
END_TEST

START_TEST(missing_program)
{
	char name[] = "nothing", *argv[] = {name, NULL};
	struct spawn spawn = {.path = "/nonexistent/nothing", .argv = argv, .fd_count = 0};
	int status;
	pid_t pid = spawn_process(&spawn);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}
END_TEST

TCase *spawn_tcase(void)
{
	TCase *tc = tcase_create("spawn");

	tcase_add_loop_test(tc, arguments, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, descriptors);
	tcase_add_test(tc, missing_program);
	return tc;
}
