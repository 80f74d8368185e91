/* SPDX-License-Identifier: ISC */
#include "lib/mail/qp.h"

#include <string.h>

#include "tests/unit/lib/mail/suite.h"

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

static const struct {
	const char *line, *out;
} cases[] = {
    {"plain", "plain"},
    {"", ""},
    {"a=b", "a=3Db"},
    {"gr\xc3\xbc\xc3\x9f", "gr=C3=BC=C3=9F"},
    {"blank ", "blank=20"},
    {"two  ", "two =20"},
    {"tab\t", "tab=09"},
    {" a\tb", " a\tb"},
    {"\x01\x7f", "=01=7F"},
    {X70 "12345", X70 "12345"},
    {X70 "123456", X70 "12345=\r\n6"},
    {X70 "123=", X70 "123=\r\n=3D"},
    {X70 "1234 ", X70 "1234=\r\n=20"},
    {X70 "1234 5", X70 "1234 =\r\n5"},
};

/* In pieces of every size the result is the same, and no line is too long. */
START_TEST(lines)
{
	const char *line = cases[_i].line;
	size_t len = strlen(line);

	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct str out = {0};
		struct qp qp = {0};

		for (size_t at = 0; at < len; at += piece)
			qp_put(&qp, &out, line + at, MIN(piece, len - at));
		qp_end_line(&qp, &out, slice_text("|"));
		ck_assert_uint_eq(qp.column, 0);
		str_cut(&out, out.len - 1);
		ck_assert_str_eq(str_text(&out), cases[_i].out);
		str_fini(&out);
	}
}
END_TEST

TCase *qp_tcase(void)
{
	TCase *tc = tcase_create("qp");

	tcase_add_loop_test(tc, lines, 0, ARRAY_LEN(cases));
	return tc;
}
