/* SPDX-License-Identifier: ISC */
/* The expected texts are what Debian's postconf 3.7 prints for the same entries. */
#include <stdlib.h>
#include <string.h>

#include "commands/postconf/postconf.h"
#include "tests/unit/commands/postconf/suite.h"

static const struct {
	const char *entry, *plain, *folded;
} cases[] = {
    {"smtp inet n - y - - smtpd",
        "smtp       inet  n       -       y       -       -       smtpd\n",
        "smtp       inet  n       -       y       -       -       smtpd\n"},
    {"smtp_via_transport_maps unix - - n - - smtp",
        "smtp_via_transport_maps unix - - n       -       -       smtp\n",
        "smtp_via_transport_maps unix - - n       -       -       smtp\n"},
    {"127.0.0.1:10025 inet n - n - - spawn user=x argv=/bin/cat",
        "127.0.0.1:10025 inet n   -       n       -       -       spawn user=x argv=/bin/cat\n",
        "127.0.0.1:10025 inet n   -       n       -       -       spawn user=x\n"
        "    argv=/bin/cat\n"},
    {"smtp inet n - n - - smtpd -v -o a=b -v flags=x  -o { c = d e } -o {z=1} {  a b }",
        "smtp       inet  n       -       n       -       -       smtpd -v -o a=b -v flags=x "
        "-o {c = d e} -o z=1 {a b}\n",
        "smtp       inet  n       -       n       -       -       smtpd -v\n"
        "    -o a=b\n"
        "    -v flags=x -o {c = d e} -o z=1 {a b}\n"},
    {"mailman unix - n n - - pipe flags=FRX user=list "
     "argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}",
        "mailman    unix  -       n       n       -       -       pipe flags=FRX user=list "
        "argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}\n",
        "mailman    unix  -       n       n       -       -       pipe flags=FRX\n"
        "    user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop}\n"
        "    ${user}\n"},
    {"bar unix - - - - - nosuch -o mynetworks={ 1 2 }",
        "bar        unix  -       -       -       -       -       nosuch -o {mynetworks={ 1 2 }}\n",
        "bar        unix  -       -       -       -       -       nosuch\n"
        "    -o {mynetworks={ 1 2 }}\n"},
};

static char *print(const char *entry, bool fold)
{
	struct master_cf cf;
	struct err err;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_msg(
	    master_cf_parse("master.cf", entry, strlen(entry), &cf, &err) == 0, "%s", err.text);
	services_print_entry(out, fold, &cf.entries[0]);
	fclose(out);
	master_cf_fini(&cf);
	return text;
}

START_TEST(entries)
{
	char *plain = print(cases[_i].entry, false), *folded = print(cases[_i].entry, true);

	ck_assert_str_eq(plain, cases[_i].plain);
	ck_assert_str_eq(folded, cases[_i].folded);
	free(plain);
	free(folded);
}
END_TEST

TCase *services_tcase(void)
{
	TCase *tcase = tcase_create("services");

	tcase_add_loop_test(tcase, entries, 0, ARRAY_LEN(cases));
	return tcase;
}
