/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/conf/template.h"

static const struct {
	const char *text;
	enum template_kind kind;
	const char *subject, *body; /* NULL: the built-in one */
	const char *problem;        /* "" : none */
} cases[] = {
    {"", TEMPLATE_FAILURE, NULL, NULL, ""},
    {"# comment\n\n  \nfailure_template = <<EOF\nSubject: No\n\ntext\nEOF\n", TEMPLATE_FAILURE,
        "No", "text\n", ""},
    {"delay_template=<<THE_END\nsubject:  x y \n\n\n# no comment\n  two\\\nTHE_END\n",
        TEMPLATE_DELAY, "x y", "# no comment\n  two\\\n", ""},
    {"verify_template = <<E\nno header\nE\n", TEMPLATE_VERIFY, NULL, "no header\n", ""},
    {"success_template = <<EOF\r\nSubject: a\r\n\r\nb\r\nEOF\r\n", TEMPLATE_SUCCESS, "a", "b\r\n",
        ""},
    {"nonsense\n", TEMPLATE_FAILURE, NULL, NULL, "f, line 1: expected \"name = <<WORD\""},
    {"failure_template = text\n", TEMPLATE_FAILURE, NULL, NULL, "f, line 1: expected"},
    {"failure_template = <<'EOF'\nx\n'EOF'\n", TEMPLATE_FAILURE, NULL, NULL, "f, line 1: expected"},
    {"failure_template = <<EOF\nSubject: a\n\nb\n EOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 1: there is no line \"EOF\""},
    {"#\nbounce_template = <<EOF\nx\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 2: bounce_template: expected failure_template"},
    {"failure_template = <<EOF\nSubject: a\nReply-To: x\n\nb\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 3: Reply-To: expected Charset"},
    {"failure_template = <<EOF\nSubject: \xc3\xb6\n\nb\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 2: Subject: expected"},
    {"failure_template = <<EOF\nCharset: a\"b\n\nb\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 2: Charset: expected"},
    {"failure_template = <<EOF\nSubject: a\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 1: the template has no text"},
    {"failure_template = <<EOF\n\n\xc3\xb6\nEOF\n", TEMPLATE_FAILURE, NULL, NULL,
        "f, line 1: the text is not ASCII"},
    {"failure_template = <<EOF\nCharset: utf-8\n\n\xc3\xb6\nEOF\n", TEMPLATE_FAILURE, NULL,
        "\xc3\xb6\n", ""},
};

START_TEST(parse)
{
	struct template_set builtin, set;
	struct arena arena = {0};
	struct str problems = {0};
	const struct template *got = &set.items[cases[_i].kind], *old;

	template_set_builtin(&builtin);
	template_set_builtin(&set);
	old = &builtin.items[cases[_i].kind];
	template_parse("f", slice_text(cases[_i].text), &arena, &set, &problems);
	ck_assert_str_eq(got->subject, cases[_i].subject ? cases[_i].subject : old->subject);
	ck_assert_str_eq(got->text, cases[_i].body ? cases[_i].body : old->text);
	if (*cases[_i].problem)
		ck_assert_msg(
		    !strncmp(str_text(&problems), cases[_i].problem, strlen(cases[_i].problem)),
		    "%s", str_text(&problems));
	else
		ck_assert_str_eq(str_text(&problems), "");
	str_fini(&problems);
	arena_fini(&arena);
}
END_TEST

/* An error in one template is no reason to drop the others. */
START_TEST(others_stay)
{
	static const char text[] = "failure_template = <<A\nBad: x\n\ny\nA\n"
	                           "delay_template = <<B\n\n$$ $nosuch.\nB\n"
	                           "success_template = <<C\n\n${x\nC\n"
	                           "verify_template = <<D\n\n$delay_warning_time_minutes "
	                           "$maximal_queue_lifetime_days\nD\n";
	struct template_set set;
	struct arena arena = {0};
	struct str problems = {0};
	struct conf *conf;
	struct err err;
	static const char main_cf[] =
	    "delay_warning_time = 90m\nmaximal_queue_lifetime = 36h\nmyhostname = h.example\n";

	ck_assert_int_eq(conf_load_text("/", "main.cf", main_cf, strlen(main_cf), &conf, &err), 0);
	template_set_builtin(&set);
	template_parse("f", slice_text(text), &arena, &set, &problems);
	template_expand(conf, "f", &arena, &set, &problems);
	ck_assert_ptr_nonnull(strstr(str_text(&problems), "f, line 2: Bad: expected"));
	ck_assert_ptr_nonnull(strstr(str_text(&problems), "f, line 10: success_template: "));
	ck_assert_ptr_nonnull(strstr(set.items[TEMPLATE_FAILURE].text, "at host h.example "));
	ck_assert_str_eq(set.items[TEMPLATE_DELAY].text, "$ .\n");
	ck_assert_ptr_nonnull(strstr(set.items[TEMPLATE_SUCCESS].text, "at host h.example "));
	ck_assert_str_eq(set.items[TEMPLATE_VERIFY].text, "90 1\n");
	str_fini(&problems);
	conf_free(&conf);
	arena_fini(&arena);
}
END_TEST

TCase *template_tcase(void)
{
	TCase *tcase = tcase_create("template");

	tcase_add_loop_test(tcase, parse, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, others_stay);
	return tcase;
}
