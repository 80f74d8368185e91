/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/postconf/postconf.h"
#include "lib/base/alloc.h"
#include "lib/sys/fd.h"
#include "tests/unit/commands/postconf/suite.h"

static const char main_cf[] = "# head\n"
                              "myhostname = a\n"
                              "\n"
                              "mydestination = x,\n"
                              "# inner\n"
                              "   y\n"
                              "relayhost = r\n"
                              "# tail\n";
static const char master_cf[] = "# comment\n"
                                "smtp inet n - n - - smtpd\n"
                                "  # inner\n"
                                "  -o a=b\n"
                                "   -o { c = d e }\n"
                                "# mid\n"
                                "pickup unix n - n 60 1 pickup\n";

static const struct {
	char what;
	enum edit edit;
	const char *requests[3];
	const char *result; /* NULL: refused, and the file as it was */
} cases[] = {
    {'p', EDIT_SET, {"myhostname=new", "mydestination = q   w", "own=1"},
        "# head\nmyhostname = new\n\nmydestination = q   w\n# inner\nrelayhost = r\n# tail\n"
        "own = 1\n"},
    {'p', EDIT_COMMENT, {"mydestination", "nosuch"},
        "# head\nmyhostname = a\n\n#mydestination = x,\n# inner\n#   y\nrelayhost = r\n# tail\n"},
    {'p', EDIT_REMOVE, {"mydestination", "myhostname"},
        "# head\n\n# inner\nrelayhost = r\n# tail\n"},
    {'p', EDIT_SET, {"a"}, NULL},
    {'p', EDIT_SET, {"=a"}, NULL},
    {'p', EDIT_SET, {"a b=c"}, NULL},
    {'p', EDIT_SET, {"#a=c"}, NULL},
    {'p', EDIT_SET, {"a=c\nd=e"}, NULL},
    {'p', EDIT_REMOVE, {"a=b"}, NULL},
    {'M', EDIT_SET, {"smtp/inet=smtp inet n - n - - smtpd -o x=y -v", "n/unix=n unix - - n - - s"},
        "# comment\n  # inner\n"
        "smtp       inet  n       -       n       -       -       smtpd\n    -o x=y\n    -v\n"
        "# mid\npickup unix n - n 60 1 pickup\n"
        "n          unix  -       -       n       -       -       s\n"},
    {'M', EDIT_COMMENT, {"smtp/inet"},
        "# comment\n#smtp inet n - n - - smtpd\n  # inner\n#  -o a=b\n#   -o { c = d e }\n# mid\n"
        "pickup unix n - n 60 1 pickup\n"},
    {'M', EDIT_REMOVE, {"*/inet"}, "# comment\n  # inner\n# mid\npickup unix n - n 60 1 pickup\n"},
    {'F', EDIT_SET, {"pickup/unix/chroot=y", "pickup/unix/command=pickup -v"},
        "# comment\nsmtp inet n - n - - smtpd\n  # inner\n  -o a=b\n   -o { c = d e }\n# mid\n"
        "pickup     unix  n       -       y       60      1       pickup -v\n"},
    {'P', EDIT_SET, {"smtp/inet/a=new", "smtp/inet/z=1"},
        "# comment\n  # inner\n"
        "smtp       inet  n       -       n       -       -       smtpd\n"
        "    -o a=new\n    -o {c = d e}\n    -o z=1\n# mid\npickup unix n - n 60 1 pickup\n"},
    {'P', EDIT_REMOVE, {"smtp/inet/c"},
        "# comment\n  # inner\n"
        "smtp       inet  n       -       n       -       -       smtpd\n"
        "    -o a=b\n# mid\npickup unix n - n 60 1 pickup\n"},
    {'M', EDIT_SET, {"smtp/inet=smtp inet n"}, NULL},
    {'M', EDIT_SET, {"smtp=smtp inet n - n - - smtpd"}, NULL},
    {'F', EDIT_SET, {"smtp/inet/chroot=q"}, NULL},
    {'F', EDIT_SET, {"smtp/inet/nosuch=y"}, NULL},
    {'P', EDIT_SET, {"smtp/inet/a=b c"}, NULL},
};

static void put(const char *dir, const char *name, const char *text)
{
	char *path = alloc_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0640), 0);
	free(path);
}

START_TEST(edits)
{
	char dir[] = "/tmp/postconf-test-XXXXXX";
	struct postconf pc = {.edit = cases[_i].edit};
	const char *name = cases[_i].what == 'p' ? "main.cf" : "master.cf";
	const char *before = cases[_i].what == 'p' ? main_cf : master_cf;
	char *requests[3], *path, *tmp;
	struct str text = {0};
	struct stat st;
	struct err err;
	int count = 0, result;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	pc.etc = dir;
	put(dir, name, before);
	while (count < 3 && cases[_i].requests[count]) {
		requests[count] = strdup(cases[_i].requests[count]);
		count++;
	}
	result = cases[_i].what == 'p' ? edit_main(&pc, requests, count, &err)
	                               : edit_services(&pc, cases[_i].what, requests, count, &err);
	ck_assert_int_eq(result, cases[_i].result ? 0 : -1);
	path = alloc_printf("%s/%s", dir, name);
	tmp = alloc_printf("%s/%s.tmp", dir, name);
	ck_assert_int_eq(fd_read_file(path, 100000, &text, &err), 0);
	ck_assert_str_eq(str_text(&text), cases[_i].result ? cases[_i].result : before);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0640);
	unlink(path);
	unlink(tmp);
	ck_assert_int_eq(rmdir(dir), 0);
	while (count > 0)
		free(requests[--count]);
	str_fini(&text);
	free(path);
	free(tmp);
}
END_TEST

TCase *edit_tcase(void)
{
	TCase *tcase = tcase_create("edit");

	tcase_add_loop_test(tcase, edits, 0, ARRAY_LEN(cases));
	return tcase;
}
