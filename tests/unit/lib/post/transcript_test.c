/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/post/transcript.h"

static void in(struct transcript *t, const char *line)
{
	transcript_in(t, line, strlen(line));
}

static void out(struct transcript *t, const char *line)
{
	transcript_out(t, line, strlen(line));
}

START_TEST(off_is_nothing)
{
	struct transcript *t = transcript_new("2bounce delay");

	ck_assert_ptr_null(t);
	in(t, "x");
	transcript_trouble(t, CLASS_POLICY);
	ck_assert_uint_eq(transcript_troubles(t), 0);
	transcript_reset(t);
	transcript_free(&t);
}
END_TEST

START_TEST(classes)
{
	ck_assert_uint_eq(transcript_classes(""), 0);
	ck_assert_uint_eq(transcript_classes(" Policy,protocol\n2bounce "),
	    CLASS_POLICY | CLASS_PROTOCOL | CLASS_2BOUNCE);
	ck_assert_uint_eq(transcript_classes("policies, data x"), CLASS_DATA);
}
END_TEST

START_TEST(lines)
{
	struct transcript *t = transcript_new("policy");
	struct str text = {0};

	out(t, "220 here ESMTP");
	in(t, "AUTH PLAIN c2VjcmV0");
	in(t, "auth login");
	out(t, "334 VXNlcm5hbWU6\r\n");
	in(t, "c2VjcmV0");
	in(t, "MAIL FROM:<a@b>\r\nRCPT TO:<\x01\xff>\r\n");
	transcript_note(t, "(the message)");
	transcript_put(t, "lost connection", &text);
	ck_assert_ptr_nonnull(strstr(text.data,
	    " Out: 220 here ESMTP\r\n In:  AUTH PLAIN\r\n In:  auth login\r\n Out: 334 "
	    "VXNlcm5hbWU6\r\n In:  (not shown)\r\n In:  MAIL FROM:<a@b>\r\n In:  RCPT TO:<?\?>\r\n"
	    "      (the message)\r\n"));
	ck_assert_ptr_nonnull(strstr(text.data, "not end in good order: lost connection."));
	ck_assert_ptr_null(strstr(text.data, "c2VjcmV0"));
	transcript_reset(t);
	str_clear(&text);
	transcript_put(t, NULL, &text);
	ck_assert_ptr_null(strstr(text.data, "MAIL"));
	str_fini(&text);
	transcript_free(&t);
}
END_TEST

/* However long a session is, its beginning and its end are there, and no more than that. */
START_TEST(bounded)
{
	struct transcript *t = transcript_new("protocol");
	struct str text = {0};
	char line[700];

	for (int i = 0; i < 20000; i++) {
		memset(line, 'x', sizeof(line) - 1);
		line[sizeof(line) - 1] = '\0';
		line[snprintf(line, 20, "line %d", i)] = ' ';
		in(t, line);
	}
	transcript_put(t, NULL, &text);
	ck_assert_uint_lt(text.len, 40000);
	ck_assert_ptr_nonnull(strstr(text.data, "line 0 "));
	ck_assert_ptr_nonnull(strstr(text.data, "line 19999 "));
	ck_assert_ptr_nonnull(strstr(text.data, "bytes are left out here"));
	str_fini(&text);
	transcript_free(&t);
}
END_TEST

TCase *transcript_tcase(void)
{
	TCase *tcase = tcase_create("transcript");

	tcase_add_test(tcase, off_is_nothing);
	tcase_add_test(tcase, classes);
	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, bounded);
	return tcase;
}
