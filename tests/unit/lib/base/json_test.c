/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/json.h"
#include "suite.h"

static const struct {
	const char *text, *json, *printable;
} texts[] = {
    {"", "\"\"", ""},
    {"user@example.com", "\"user@example.com\"", "user@example.com"},
    {"a\"b\\c", "\"a\\\"b\\\\c\"", "a\"b\\c"},
    {"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"", "?????"},
    {"\001\033[2J\177", "\"\\u0001\\u001B[2J\\u007F\"", "??[2J?"},
    {"gr\303\274n", "\"gr\303\274n\"", "gr\303\274n"},
    {"\303x\377", "\"\\uFFFDx\\uFFFD\"", "?x?"},
    {"\355\240\200", "\"\\uFFFD\\uFFFD\\uFFFD\"", "???"},
    /* CSI as one character, and what turns the direction of writing */
    {"\302\2332J", "\"\302\2332J\"", "??2J"},
    {"a\342\200\256b", "\"a\342\200\256b\"", "a???b"},
    {"a\342\201\247b", "\"a\342\201\247b\"", "a???b"},
    {"\302\240\342\200\242", "\"\302\240\342\200\242\"", "\302\240\342\200\242"},
};

START_TEST(as_json)
{
	struct str out = {0};

	str_put_text(&out, "x");
	json_put_text(&out, texts[_i].text);
	ck_assert_str_eq(str_text(&out) + 1, texts[_i].json);
	str_fini(&out);
}
END_TEST

START_TEST(as_printable)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", texts[_i].text);
	text_make_printable(text, strlen(text));
	ck_assert_str_eq(text, texts[_i].printable);
}
END_TEST

TCase *json_tcase(void)
{
	TCase *tcase = tcase_create("json");

	tcase_add_loop_test(tcase, as_json, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(tcase, as_printable, 0, ARRAY_LEN(texts));
	return tcase;
}
