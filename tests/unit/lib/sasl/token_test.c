/* SPDX-License-Identifier: ISC */
#include "lib/sasl/token.h"

#include <string.h>

#include "tests/unit/lib/sasl/suite.h"

static const struct {
	const char *text, *token; /* NULL: refused */
	int lifetime;
} cases[] = {
    {"abc", "abc", -1},
    {" abc\r\n", "abc", -1},
    {"abc\n3600\n", "abc", 3600},
    {"abc\n\n", "abc", -1},
    {"abc\n3600\nmore", NULL, 0},
    {"abc\nsoon", NULL, 0},
    {"a bc", NULL, 0},
    {"a\tbc", NULL, 0},
    {"t\xc3\xb6ken", NULL, 0},
    {"", NULL, 0},
    {"\n\n", NULL, 0},
    {"{\"access_token\":\"abc\"}", "abc", -1},
    {" { \"token_type\" : \"Bearer\", \"access_token\" : \"a\\/b\\u002b\" , \"expires_in\" : 3599 "
     "} \n",
        "a/b+", 3599},
    {"{\"expires_in\":\"60\",\"access_token\":\"abc\"}", "abc", 60},
    {"{\"expires_in\":59.9,\"access_token\":\"abc\"}", "abc", 59},
    {"{\"expires_in\":-1,\"access_token\":\"abc\"}", "abc", -1},
    {"{\"a\":{\"access_token\":\"x\",\"b\":[1,{\"c\":null}]},\"access_token\":\"abc\"}", "abc", -1},
    {"{\"a\":\"}\\\"\",\"access_token\":\"abc\"}", "abc", -1},
    {"{\"access_token\":123}", NULL, 0},
    {"{\"access_token\":\"a\\u00e9\"}", NULL, 0},
    {"{\"access_token\":\"a\\u0000\"}", NULL, 0},
    {"{\"access_token\":\"a b\"}", NULL, 0},
    {"{\"error\":\"invalid_grant\"}", NULL, 0},
    {"{}", NULL, 0},
    {"{\"access_token\":\"abc\"} x", NULL, 0},
    {"{\"access_token\":\"abc\"", NULL, 0},
    {"{\"access_token\":\"abc", NULL, 0},
    {"{\"access_token\":\"abc\\", NULL, 0},
    {"{\"access_token\":\"abc\\u12", NULL, 0},
    {"{\"access_token\"}", NULL, 0},
    {"{access_token:\"abc\"}", NULL, 0},
    {"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],\"access_token\":\"abc\"}", NULL, 0},
};

START_TEST(texts)
{
	struct token_text t = {.lifetime = 7};
	struct err err;
	int rc = token_text_parse(slice_text(cases[_i].text), &t, &err);

	ck_assert_msg(
	    rc == (cases[_i].token ? 0 : -1), "%s: %s", cases[_i].text, rc ? err.text : "taken");
	if (rc == 0) {
		ck_assert_str_eq(str_text(&t.token), cases[_i].token);
		ck_assert_int_eq(t.lifetime, cases[_i].lifetime);
	}
	token_text_fini(&t);
}
END_TEST

START_TEST(too_long)
{
	struct token_text t = {.lifetime = 0};
	char text[TOKEN_MAX + 2];

	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(token_text_parse(slice_of(text, TOKEN_MAX), &t, NULL), 0);
	ck_assert_int_eq(token_text_parse(slice_of(text, TOKEN_MAX + 1), &t, NULL), -1);
	token_text_fini(&t);
}
END_TEST

TCase *token_tcase(void)
{
	TCase *tc = tcase_create("token");

	tcase_add_loop_test(tc, texts, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, too_long);
	return tc;
}
