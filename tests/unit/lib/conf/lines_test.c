/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/attr.h"
#include "lib/conf/lines.h"
#include "tests/unit/lib/conf/suite.h"

static const struct {
	const char *text;
	const char *lines; /* "number:text|" each; '~' marks a line that continues nothing */
} cases[] = {
    {"", ""},
    {"\n\n  \n# x\n", ""},
    {"a", "1:a|"},
    {"a \t \n", "1:a|"},
    {"a\nb\n", "1:a|2:b|"},
    {"a\n b\n\tc\nd\n", "1:a b\tc|4:d|"},
    {"a\n#x\n b\n", "1:a b|"},
    {"a\n\n   \n  # x\n b\n\nc", "1:a b|7:c|"},
    {" a\nb\n", "~1: a|2:b|"},
    {"#x\n a\n", "~2: a|"},
    {"a\r\n b\r\n", "1:a b|"},
    {"a#b # c\n", "1:a#b # c|"},
    {"a\n \n", "1:a|"},
};

START_TEST(lines_are_logical)
{
	struct lines lines = {.text = cases[_i].text, .len = strlen(cases[_i].text)};
	struct str got = {0};
	struct slice line;

	while (lines_next(&lines, &line))
		str_printf(
		    &got, "%s%d:%.*s|", lines.orphan ? "~" : "", lines.start_line, SLICE_ARG(line));
	ck_assert_str_eq(str_text(&got), cases[_i].lines);
	str_fini(&got);
	lines_fini(&lines);
}
END_TEST

TCase *lines_tcase(void)
{
	TCase *tcase = tcase_create("lines");

	tcase_add_loop_test(tcase, lines_are_logical, 0, ARRAY_LEN(cases));
	return tcase;
}
