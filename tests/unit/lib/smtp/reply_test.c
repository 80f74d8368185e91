/* SPDX-License-Identifier: ISC */
#include "lib/smtp/reply.h"

#include "lib/base/attr.h"
#include "tests/unit/lib/smtp/suite.h"

static const struct {
	const char *lines[4];
	int rc; /* of the last line */
	int code;
	const char *dsn, *text;
} cases[] = {
    {{"250 Ok"}, 1, 250, "", "250 Ok"},
    {{"250"}, 1, 250, "", "250"},
    {{"250 "}, 1, 250, "", "250 "},
    {{"250 2.1.0 Ok"}, 1, 250, "2.1.0", "250 2.1.0 Ok"},
    {{"550 5.1.1 no"}, 1, 550, "5.1.1", "550 5.1.1 no"},
    {{"550 4.1.1 no"}, 1, 550, "", "550 4.1.1 no"},
    {{"550 5.1.1"}, 1, 550, "5.1.1", "550 5.1.1"},
    {{"550 5.1.1000 x"}, 1, 550, "", "550 5.1.1000 x"},
    {{"550 5.1 x"}, 1, 550, "", "550 5.1 x"},
    {{"550 5.1.1x"}, 1, 550, "", "550 5.1.1x"},
    {{"550 5..1 x"}, 1, 550, "", "550 5..1 x"},
    {{"250-a", "250-b", "250 c"}, 1, 250, "", "250-a 250-b 250 c"},
    {{"550-5.1.1 a", "550 5.1.1 b"}, 1, 550, "5.1.1", "550-5.1.1 a 550 5.1.1 b"},
    {{"550-a", "550 5.7.1 b"}, 1, 550, "5.7.1", "550-a 550 5.7.1 b"},
    {{"450-4.2.0 a", "550 b"}, 1, 550, "", "450-4.2.0 a 550 b"},
    {{"250-a"}, 0, 250, "", "250-a"},
    {{"250-"}, 0, 250, "", "250-"},
    {{"250-a", "garbage"}, -1, 250, "", "250-a"},
    {{""}, -1, 0, "", ""},
    {{"25"}, -1, 0, "", ""},
    {{"2x0 a"}, -1, 0, "", ""},
    {{"150 a"}, -1, 0, "", ""},
    {{"650 a"}, -1, 0, "", ""},
    {{"250x"}, -1, 0, "", ""},
    {{"HTTP/1.1 400 Bad Request"}, -1, 0, "", ""},
    {{"250 a\x01\x1b[0m"}, 1, 250, "", "250 a??[0m"},
    {{"250 \xc3\xbc\xff\xc3 \xed\xa0\x80 \xe2\x82"}, 1, 250, "", "250 \xc3\xbc?? ??? ??"},
    {{"250\tok"}, 1, 250, "", "250 ok"},
    {{"250 a", "250 b"}, -1, 250, "", "250 a"},
};

START_TEST(reply)
{
	struct smtp_reply r = {0};
	int i, rc = 0;

	smtp_reply_reset(&r);
	for (i = 0; i < 4 && cases[_i].lines[i]; i++)
		rc = smtp_reply_line(&r, slice_text(cases[_i].lines[i]));
	ck_assert_int_eq(rc, cases[_i].rc);
	ck_assert_int_eq(r.code, cases[_i].code);
	ck_assert_str_eq(r.dsn, cases[_i].dsn);
	ck_assert_str_eq(str_text(&r.text), cases[_i].text);
	smtp_reply_fini(&r);
}
END_TEST

START_TEST(lines_and_reset)
{
	struct smtp_reply r = {0};

	smtp_reply_reset(&r);
	smtp_reply_line(&r, slice_text("250-x.example"));
	smtp_reply_line(&r, slice_text("250 SIZE 100"));
	ck_assert_str_eq(str_text(&r.lines), "250-x.example\n250 SIZE 100");
	ck_assert_int_eq(r.line_count, 2);
	smtp_reply_reset(&r);
	ck_assert_int_eq(smtp_reply_line(&r, slice_text("220 hi")), 1);
	ck_assert_str_eq(str_text(&r.lines), "220 hi");
	smtp_reply_fini(&r);
}
END_TEST

/* A server that never ends its reply, with long lines, costs bounded memory and then fails. */
START_TEST(endless)
{
	struct smtp_reply r = {0};
	struct str line = {0};
	int i, rc = 0;

	str_put_text(&line, "250-");
	for (i = 0; i < 500; i++)
		str_put_char(&line, 'x');
	smtp_reply_reset(&r);
	for (i = 0; i < 100000 && rc == 0; i++)
		rc = smtp_reply_line(&r, slice_of(line.data, line.len));
	ck_assert_int_eq(rc, -1);
	ck_assert_int_eq(r.line_count, SMTP_REPLY_MAX_LINES);
	ck_assert_uint_le(r.text.len, SMTP_REPLY_MAX_TEXT);
	str_fini(&line);
	smtp_reply_fini(&r);
}
END_TEST

static const struct {
	const char *text, *dsn, *rest;
} dsn_cases[] = {
    {"5.1.1 no such user", "5.1.1", "no such user"},
    {"5.1.1", "5.1.1", ""},
    {"5.1.1   x", "5.1.1", "x"},
    {"4.999.999 x", "4.999.999", "x"},
    {"3.1.1 x", "", "3.1.1 x"},
    {"5.1.1.1 x", "", "5.1.1.1 x"},
    {"5.1 x", "", "5.1 x"},
    {"5.1234.1 x", "", "5.1234.1 x"},
    {"User unknown", "", "User unknown"},
    {"", "", ""},
    {"5", "", "5"},
    {"5.", "", "5."},
};

START_TEST(dsn)
{
	char out[12];

	ck_assert_str_eq(smtp_dsn_split(dsn_cases[_i].text, out), dsn_cases[_i].rest);
	ck_assert_str_eq(out, dsn_cases[_i].dsn);
}
END_TEST

TCase *reply_tcase(void)
{
	TCase *tc = tcase_create("reply");

	tcase_add_loop_test(tc, reply, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, lines_and_reset);
	tcase_add_test(tc, endless);
	tcase_add_loop_test(tc, dsn, 0, ARRAY_LEN(dsn_cases));
	return tc;
}
