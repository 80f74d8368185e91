/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/conf/conf.h"
#include "tests/unit/lib/conf/suite.h"

static const char main_cf[] = "a = x\n"
                              "b = $a$a\n"
                              "empty =\n"
                              "hollow = $empty\n"
                              "n9 = 9\n"
                              "n10 = 10\n"
                              "compatibility_level = 3.6\n"
                              "me = ${me}\n"
                              "p = $q\n"
                              "q = ${empty:$p}\n"
                              "myhostname = mail.example.com\n";

/* What Debian's postconf -x prints for the same text; "!" and a part of the message for errors. */
static const struct {
	const char *text, *result;
} cases[] = {
    {"", ""},
    {"plain text, no more", "plain text, no more"},
    {"$a", "x"},
    {"<$a>", "<x>"},
    {"$b$b", "xxxx"},
    {"${a}", "x"},
    {"$(a)", "x"},
    {"${ a }", "x"},
    {"$a.b", "x.b"},
    {"$nosuch", ""},
    {"$$a", "$a"},
    {"$$$a", "$x"},
    {"$$", "$"},
    {"${a?yes}", "yes"},
    {"${domain_to_ascii{m\xc3\xbcnchen.$a}}", "xn--mnchen-3ya.x"},
    {".${domain_to_ascii {$myhostname} }", ".mail.example.com"},
    {"${domain_to_ascii{$a}b}", "!nothing more"},
    {"${domain_to_ascii{$a}", "!closing brace"},
    {"${a?yes $b}", "yes xx"},
    {"${empty?yes}", ""},
    {"${hollow?yes}", "yes"},
    {"${a:no}", ""},
    {"${empty:no $a}", "no x"},
    {"${nosuch:no}", "no"},
    {"${a?{yes}:{no}}", "yes"},
    {"${a ? {yes} : {no}}", "yes"},
    {"${empty?{yes}:{no}}", "no"},
    {"${empty?{yes}:no}", "no"},
    {"${a?{yes}}", "yes"},
    {"${a?{ y n }}", " y n "},
    {"${a?b{c}d}", "b{c}d"},
    {"${a?{${b?{deep}:{no}}}:{no}}", "deep"},
    {"${{$a} == {x} ? {yes} : {no}}", "yes"},
    {"${{$a}=={y}?{yes}:{no}}", "no"},
    {"${{$a} != {y} ? {yes}}", "yes"},
    {"${{a}=={a}}", "true"},
    {"${{a}=={b}}", ""},
    {"${{a}=={b}:{x}}", "x"},
    {"${{a} == {a} ? a : b}", " a : b"},
    {"${a? y n }", " y n "},
    {"${a ? {y} }", "y"},
    {"${{$n9} < {$n10} ? {yes} : {no}}", "yes"},
    {"${{$n9} > {$n10} ? {yes} : {no}}", "no"},
    {"${{9} <= {9} ? {yes} : {no}}", "yes"},
    {"${{9} >= {10} ? {yes} : {no}}", "no"},
    {"${{5} == {05} ? {yes} : {no}}", "yes"},
    {"${{ 5 } == {5} ? {yes} : {no}}", "no"},
    {"${{9x} < {10x} ? {yes} : {no}}", "no"},
    {"${{3.10} > {3.9} ? {yes} : {no}}", "no"},
    {"${{3.10} >level {3.9} ? {yes} : {no}}", "yes"},
    {"${{$compatibility_level} <level {1} ? {yes} : {no}}", "no"},
    {"${{$compatibility_level} <level {3.7} ? {yes} : {no}}", "yes"},
    {"${{$compatibility_level} ==level {3.6.0} ? {yes} : {no}}", "yes"},
    {"${{3} !=level {3.0} ? {yes} : {no}}", "no"},
    {"${{$a}=={x}?{{}}:{}}", "{}"},
    {"$smtpd_relay_restrictions",
        "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"},
    {"$mydomain", "example.com"},
    {"${stress?{10}:{300}}s", "300s"},
    {"$smtp_destination_recipient_limit", "50"},
    {"$x_time_limit", "1000s"},
    {"$local_destination_recipient_limit", "1"},
    {"end$", "!parameter name after '$'"},
    {"$-", "!parameter name after '$'"},
    {"${}", "!a parameter name"},
    {"${a", "!a closing brace"},
    {"$(a", "!a closing brace"},
    {"${a-b}", "!'?', ':' or the closing brace"},
    {"${a?{yes} {no}}", "!':' or the end"},
    {"${a?{yes}:{no}x}", "!nothing more"},
    {"${{a} = {b}?c:d}", "!one of =="},
    {"${{a} == b}", "!{text} to compare"},
    {"${{a} == {b} x}", "!'?' or ':'"},
    {"${{a} <level {1}}", "!a compatibility level"},
    {"${{3.7} <level {1.2.3.4}}", "!a compatibility level"},
    {"$me", "!parameter loop: me is used by me"},
    {"$p", "!parameter loop: p is used by q is used by p"},
};

START_TEST(expressions)
{
	struct conf *conf;
	struct str out = {0};
	struct err err;
	int result;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", main_cf, strlen(main_cf), &conf, &err), 0);
	result = conf_expand(conf, cases[_i].text, &out, &err);
	if (cases[_i].result[0] == '!') {
		ck_assert_int_eq(result, -1);
		ck_assert_msg(strstr(err.text, cases[_i].result + 1) != NULL, "%s", err.text);
	} else {
		ck_assert_msg(result == 0, "%s", err.text);
		ck_assert_str_eq(str_text(&out), cases[_i].result);
	}
	str_fini(&out);
	conf_free(&conf);
}
END_TEST

/* a0 = $a1$a1 ... doubles with each step: the bounds end it early. */
START_TEST(explosion_is_bounded)
{
	struct str text = {0}, out = {0};
	struct conf *conf;
	struct err err;

	for (int i = 0; i < 60; i++)
		str_printf(&text, "a%d = $a%d$a%d\n", i, i + 1, i + 1);
	str_put_text(&text, _i ? "a60 = text\n" : "a60 =\n");
	ck_assert_int_eq(
	    conf_load_text("/x", "main.cf", str_text(&text), text.len, &conf, &err), 0);
	ck_assert_int_eq(conf_expand(conf, "$a0", &out, &err), -1);
	ck_assert_str_eq(conf_get(conf, "a0"), "");
	str_fini(&out);
	str_fini(&text);
	conf_free(&conf);
}
END_TEST

START_TEST(depth_is_bounded)
{
	struct str text = {0}, out = {0};
	struct conf *conf;
	struct err err;

	for (int i = 0; i < 5000; i++)
		str_printf(&text, "a%d = ${a%d}\n", i, i + 1);
	ck_assert_int_eq(
	    conf_load_text("/x", "main.cf", str_text(&text), text.len, &conf, &err), 0);
	ck_assert_int_eq(conf_expand(conf, "$a0", &out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "levels of nested"));
	str_clear(&text);
	for (int i = 0; i < 100000; i++)
		str_put_text(&text, "${a?{");
	ck_assert_int_eq(conf_expand(conf, str_text(&text), &out, &err), -1);
	str_fini(&out);
	str_fini(&text);
	conf_free(&conf);
}
END_TEST

TCase *expand_tcase(void)
{
	TCase *tcase = tcase_create("expand");

	tcase_add_loop_test(tcase, expressions, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tcase, explosion_is_bounded, 0, 2);
	tcase_add_test(tcase, depth_is_bounded);
	return tcase;
}
