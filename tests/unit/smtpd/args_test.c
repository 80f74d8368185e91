/* SPDX-License-Identifier: ISC */
#include "smtpd/smtpd.h"
#include "suite.h"

static const struct {
	const char *args, *keyword;
	bool strict;
	enum cmd_args result;
	const char *address, *rest;
} paths[] = {
    {"FROM:<a@b>", "FROM", false, CMD_ARGS_OK, "a@b", ""},
    {"from: <a@b> SIZE=3", "FROM", false, CMD_ARGS_OK, "a@b", "SIZE=3"},
    {"FROM:<>", "FROM", false, CMD_ARGS_OK, "", ""},
    {"FROM:a@b X", "FROM", false, CMD_ARGS_OK, "a@b", "X"},
    {"FROM:a@b", "FROM", true, CMD_ARGS_ADDRESS, "", ""},
    {"FROM:<\"a b\"@c>", "FROM", false, CMD_ARGS_OK, "a b@c", ""},
    {"FROM:<a@b", "FROM", false, CMD_ARGS_ADDRESS, "", ""},
    {"FROM:<a@b> \"x y\" z", "FROM", false, CMD_ARGS_OK, "a@b", "\"x y\" z"},
    {"FROM:<a@b> (x)", "FROM", false, CMD_ARGS_OK, "a@b", "(x)"},
    {"FROM:<<a@b>>", "FROM", false, CMD_ARGS_OK, "a@b", ""},
    {"FROM:a@b>", "FROM", true, CMD_ARGS_ADDRESS, "", ""},
    {"FROM:a@b>", "FROM", false, CMD_ARGS_OK, "a@b", ""},
    {"FROM:<-a@b>", "FROM", false, CMD_ARGS_ADDRESS, "", ""},
    {"FROM:< a..b@c.>", "FROM", true, CMD_ARGS_OK, "a..b@c.", ""},
    {"FROM:", "FROM", false, CMD_ARGS_SYNTAX, "", ""},
    {"FROM", "FROM", false, CMD_ARGS_SYNTAX, "", ""},
    {"", "FROM", false, CMD_ARGS_SYNTAX, "", ""},
    {"TO:<a@b>", "FROM", false, CMD_ARGS_SYNTAX, "", ""},
    {"FROM:   ", "FROM", false, CMD_ARGS_SYNTAX, "", ""},
};

START_TEST(path)
{
	struct smtpd_params params = {.strict_rfc821_envelopes = paths[_i].strict};
	struct smtpd_config config = {.core = NULL};
	struct smtpd srv = {.config = &config};
	struct session s = {.srv = &srv, .params = &params};
	struct str address = {0};
	struct slice given, rest;
	enum cmd_args got =
	    args_path(&s, slice_text(paths[_i].args), paths[_i].keyword, &address, &given, &rest);

	ck_assert_int_eq(got, paths[_i].result);
	if (got == CMD_ARGS_OK) {
		ck_assert_str_eq(str_text(&address), paths[_i].address);
		ck_assert(slice_eq(slice_trim(rest), paths[_i].rest));
	}
	str_fini(&address);
}
END_TEST

START_TEST(words)
{
	struct slice rest = slice_text("  a\tbc   d "), word;

	ck_assert(args_word(&rest, &word) && slice_eq(word, "a"));
	ck_assert(args_word(&rest, &word) && slice_eq(word, "bc"));
	ck_assert(args_word(&rest, &word) && slice_eq(word, "d"));
	ck_assert(!args_word(&rest, &word));
}
END_TEST

static const struct {
	const char *word, *keyword;
	bool match;
	const char *value; /* NULL: none */
} option_cases[] = {
    {"SIZE=12", "SIZE", true, "12"},
    {"size=", "SIZE", true, ""},
    {"SIZE", "SIZE", false, NULL},
    {"SIZEX=1", "SIZE", false, NULL},
    {"SIZ", "SIZE", false, NULL},
};

START_TEST(option)
{
	struct slice value = {0};
	bool match =
	    args_option(slice_text(option_cases[_i].word), option_cases[_i].keyword, &value);

	ck_assert_int_eq(match, option_cases[_i].match);
	if (match)
		ck_assert(value.data && slice_eq(value, option_cases[_i].value));
}
END_TEST

START_TEST(verbs)
{
	for (size_t i = 0; i < command_count; i++)
		ck_assert_ptr_eq(command_find(slice_text(commands[i].verb)), &commands[i]);
	ck_assert_ptr_nonnull(command_find(slice_text("mAiL")));
	ck_assert_ptr_null(command_find(slice_text("MAILX")));
	ck_assert_ptr_null(command_find(slice_text("")));
}
END_TEST

TCase *args_tcase(void)
{
	TCase *tcase = tcase_create("args");

	tcase_add_loop_test(tcase, path, 0, ARRAY_LEN(paths));
	tcase_add_test(tcase, words);
	tcase_add_loop_test(tcase, option, 0, ARRAY_LEN(option_cases));
	tcase_add_test(tcase, verbs);
	return tcase;
}
