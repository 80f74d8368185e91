/* SPDX-License-Identifier: ISC */
#include "lib/smtp/command.h"

#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/smtp/suite.h"

static const struct {
	const char *line, *verb, *rest;
} split_cases[] = {
    {"", "", ""},
    {"   ", "", ""},
    {"NOOP", "NOOP", ""},
    {"NOOP  ", "NOOP", ""},
    {"  HELO x", "HELO", "x"},
    {"HELO\tx y ", "HELO", "x y"},
    {"MAIL FROM:<a@b> SIZE=1", "MAIL", "FROM:<a@b> SIZE=1"},
    {"QUIT\r\n", "QUIT", ""},
    {"\xff\xfe foo", "\xff\xfe", "foo"},
};

START_TEST(split)
{
	struct slice verb, rest;

	smtp_command_split(slice_text(split_cases[_i].line), &verb, &rest);
	ck_assert(slice_eq(verb, split_cases[_i].verb));
	ck_assert(slice_eq(rest, split_cases[_i].rest));
}
END_TEST

static const struct {
	const char *line, *shown;
} shown_cases[] = {
    {"EHLO auth plain x", "EHLO auth plain x"},
    {"AUTH PLAIN AGEAYg==", "AUTH PLAIN"},
    {"  auth\tLOGIN\tYQ== YQ==", "  auth\tLOGIN"},
    {"AUTH PLAIN", "AUTH PLAIN"},
    {"AUTH", "AUTH"},
    {"", ""},
};

START_TEST(shown_part)
{
	struct slice line = slice_text(shown_cases[_i].line);

	ck_assert(slice_eq(smtp_command_shown(line), shown_cases[_i].shown));
}
END_TEST

static const struct {
	const char *rest, *keyword;
	const char *shown; /* address{keyword=value}...; NULL: refused */
	const char *strict;
} path_cases[] = {
    {"FROM:<>", "FROM", "", ""},
    {"from:<a@b>", "FROM", "a@b", "a@b"},
    {"FROM: <a@b>", "FROM", "a@b", "a@b"},
    {"FROM:<a@b> SIZE=100 BODY=8BITMIME", "FROM", "a@b{SIZE=100}{BODY=8BITMIME}",
        "a@b{SIZE=100}{BODY=8BITMIME}"},
    {"FROM:<a@b>   SMTPUTF8", "FROM", "a@b{SMTPUTF8}", "a@b{SMTPUTF8}"},
    {"FROM:<a@b> AUTH=<>", "FROM", "a@b{AUTH=<>}", "a@b{AUTH=<>}"},
    {"FROM:<a@b> ENVID=a=b", "FROM", "a@b{ENVID=a=b}", NULL},
    {"FROM:<a@b> SIZE=", "FROM", "a@b{SIZE=}", NULL},
    {"TO:<a@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b", "TO",
        "a@b{NOTIFY=SUCCESS,DELAY}{ORCPT=rfc822;a@b}",
        "a@b{NOTIFY=SUCCESS,DELAY}{ORCPT=rfc822;a@b}"},
    {"FROM:a@b", "FROM", "a@b", NULL},
    {"FROM:a@b SIZE=1", "FROM", "a@b{SIZE=1}", NULL},
    {"FROM:<a@b> (c) SIZE=1", "FROM", "a@b{SIZE=1}", NULL},
    {"FROM:<a b@c>", "FROM", NULL, NULL},
    {"FROM:", "FROM", NULL, NULL},
    {"FROM", "FROM", NULL, NULL},
    {"", "FROM", NULL, NULL},
    {"FROM <a@b>", "FROM", NULL, NULL},
    {"TO:<a@b>", "FROM", NULL, NULL},
    {"FROM:<a@b>SIZE=1", "FROM", NULL, NULL},
    {"FROM:<a@b> =1", "FROM", NULL, NULL},
    {"FROM:<a@b> -X=1", "FROM", NULL, NULL},
    {"FROM:<a@b> X_Y=1", "FROM", NULL, NULL},
    {"FROM:<a@b> X=\x01", "FROM", NULL, NULL},
    {"FROM:<a@b> <c@d>", "FROM", NULL, NULL},
    {"FROM:<a@b> A B C D E F G H I J K L M N O P", "FROM",
        "a@b{A}{B}{C}{D}{E}{F}{G}{H}{I}{J}{K}{L}{M}{N}{O}{P}",
        "a@b{A}{B}{C}{D}{E}{F}{G}{H}{I}{J}{K}{L}{M}{N}{O}{P}"},
    {"FROM:<a@b> A B C D E F G H I J K L M N O P Q", "FROM", NULL, NULL},
};

static void check_path(size_t i, bool strict, const char *want)
{
	struct smtp_path_args args = {0};
	struct str shown = {0};
	const char *why;
	size_t n;

	why = smtp_parse_path_args(
	    slice_text(path_cases[i].rest), path_cases[i].keyword, strict, &args);
	ck_assert_msg((why == NULL) == (want != NULL), "%s: %s", path_cases[i].rest, why);
	if (want) {
		str_put_text(&shown, str_text(&args.address));
		for (n = 0; n < args.param_count; n++) {
			const struct smtp_param *p = &args.params[n];

			str_printf(&shown, "{%.*s%s%.*s}", SLICE_ARG(p->keyword),
			    p->value.data ? "=" : "", SLICE_ARG(p->value));
		}
		ck_assert_str_eq(str_text(&shown), want);
	}
	str_fini(&shown);
	smtp_path_args_fini(&args);
}

START_TEST(path_args)
{
	check_path((size_t)_i, false, path_cases[_i].shown);
	check_path((size_t)_i, true, path_cases[_i].strict);
}
END_TEST

TCase *command_tcase(void)
{
	TCase *tc = tcase_create("command");

	tcase_add_loop_test(tc, split, 0, ARRAY_LEN(split_cases));
	tcase_add_loop_test(tc, shown_part, 0, ARRAY_LEN(shown_cases));
	tcase_add_loop_test(tc, path_args, 0, ARRAY_LEN(path_cases));
	return tc;
}
