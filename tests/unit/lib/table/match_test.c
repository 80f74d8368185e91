/* SPDX-License-Identifier: ISC */
#include "lib/table/match.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "tests/unit/lib/table/suite.h"

enum { Y = TABLE_FOUND, N = TABLE_NOT_FOUND, E = TABLE_ERROR };

static const struct text_case {
	const char *patterns;
	int flags;
	const char *text;
	int answer;
} text_cases[] = {
    {"a.b, c.d", 0, "c.d", Y},
    {"a.b c.d", 0, "C.D", Y},
    {"A.B", 0, "a.b", Y},
    {"a.b", 0, "x.a.b", N},
    {"a.b", MATCH_SUBDOMAINS, "x.a.b", Y},
    {"a.b", MATCH_SUBDOMAINS, "xa.b", N},
    {".a.b", MATCH_DOMAINS, "x.a.b", Y},
    {".a.b", MATCH_DOMAINS, "a.b", N},
    {".a.b", 0, "x.a.b", N},
    {"!x.a.b, a.b", MATCH_SUBDOMAINS, "x.a.b", N},
    {"!x.a.b, a.b", MATCH_SUBDOMAINS, "y.a.b", Y},
    {"inline:{a.b=1}", 0, "a.b", Y},
    {"inline:{a.b=1}", 0, "x.a.b", N},
    {"inline:{a.b=1}", MATCH_SUBDOMAINS, "y.x.a.b", Y},
    {"inline:{.a.b=1}", MATCH_DOMAINS, "y.x.a.b", Y},
    {"regexp:{{/^a.b$/ 1}}", MATCH_SUBDOMAINS, "x.a.b", N},
    {"!inline:{a.b=1}, a.b", 0, "a.b", N},
    {"a.b, fail:x", 0, "a.b", Y},
    {"fail:x, a.b", 0, "a.b", E},
    {"[1.2.3.4]", 0, "[1.2.3.4]", Y},
    {"/nonexistent, a.b", 0, "a.b", E},
    {"!", 0, "a.b", E},
    {"! x.y, a.b", 0, "a.b", E}, /* what was meant to be left out is not known */
    {"", 0, "a.b", N},
    {"", 0, "", N},
};

START_TEST(text)
{
	const struct text_case *c = &text_cases[_i];
	struct match_list *list = match_list_open("test_parameter", c->patterns, c->flags);
	struct err err;

	ck_assert_int_eq(match_list_text(list, c->text, &err), c->answer);
	match_list_close(&list);
}
END_TEST

static const struct host_case {
	const char *patterns;
	int flags;
	const char *name, *address;
	int answer;
} host_cases[] = {
    {"127.0.0.0/8 [::1]/128", 0, NULL, "127.9.9.9", Y},
    {"127.0.0.0/8 [::1]/128", 0, NULL, "::1", Y},
    {"127.0.0.0/8 [::1]/128", 0, NULL, "0:0::1", Y},
    {"127.0.0.0/8 [::1]/128", 0, NULL, "::2", N},
    {"127.0.0.0/8 [::1]/128", 0, "localhost", "10.0.0.1", N},
    {"!10.0.0.1, 10.0.0.0/8", 0, NULL, "10.0.0.1", N},
    {"!10.0.0.1, 10.0.0.0/8", 0, NULL, "10.0.0.2", Y},
    {"2001:db8::/32", 0, NULL, "2001:db8::1", Y},
    {"10.0.0.1/8", 0, NULL, "10.0.0.1", E},
    {"127.0.0.1, 10.0.0.1/8", 0, NULL, "127.0.0.1", Y},
    {".example.com", 0, "a.example.com", "10.0.0.1", Y},
    {"example.com", 0, "a.example.com", "10.0.0.1", N},
    {"example.com", MATCH_SUBDOMAINS, "a.example.com", "10.0.0.1", Y},
    {"unknown", 0, "unknown", "10.0.0.1", Y},
    {"cidr:{{10.0.0.0/8 ok}}", 0, NULL, "10.0.0.1", Y},
    {"inline:{10.0.0.1=ok}", 0, "unknown", "10.0.0.1", Y},
    {"0.0.0.0/0", 0, NULL, "not an address", N},
};

START_TEST(host)
{
	const struct host_case *c = &host_cases[_i];
	struct match_list *list = match_list_open("test_parameter", c->patterns, c->flags);
	struct err err;

	ck_assert_int_eq(match_list_host(list, c->name, c->address, &err), c->answer);
	match_list_close(&list);
}
END_TEST

START_TEST(file)
{
	char path[] = "/tmp/match_test.XXXXXX", patterns[64];
	int fd = mkstemp(path);
	struct match_list *list;
	struct err err;

	ck_assert(fd >= 0 && dprintf(fd, "# comment\na.b c.d\n  e.f\n!g.h\n") > 0);
	close(fd);
	snprintf(patterns, sizeof(patterns), "x.y, %s, g.h", path);
	list = match_list_open("test_parameter", patterns, 0);
	unlink(path);
	ck_assert_int_eq(match_list_text(list, "x.y", &err), Y);
	ck_assert_int_eq(match_list_text(list, "e.f", &err), Y);
	ck_assert_int_eq(match_list_text(list, "g.h", &err), N);
	match_list_close(&list);
}
END_TEST

static void mute(void)
{
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
}

TCase *match_tcase(void)
{
	TCase *tcase = tcase_create("match");

	tcase_add_checked_fixture(tcase, mute, NULL);
	tcase_add_loop_test(tcase, text, 0, ARRAY_LEN(text_cases));
	tcase_add_loop_test(tcase, host, 0, ARRAY_LEN(host_cases));
	tcase_add_test(tcase, file);
	return tcase;
}
