/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/conf/conf.h"
#include "tests/unit/lib/conf/suite.h"

struct sample {
	const char *text, *raw;
	bool flag;
	int number, colour, colours, pause, days;
	int64_t size;
	struct conf_list list;
};

static const struct conf_enum colours[] = {{"red", 1}, {"green", 2}, {NULL, 0}};

static const struct conf_param rows[] = {
    CONF_TEXT(struct sample, text, "t_text", "hello $t_number", "A text."),
    CONF_RAW(struct sample, raw, "t_raw", "$home/x", "A raw text."),
    CONF_BOOL(struct sample, flag, "t_flag", "yes", "A flag."),
    CONF_INT(struct sample, number, "t_number", "5", 1, 10, "A number."),
    CONF_ENUM(struct sample, colour, "t_colour", "green", colours, "A colour."),
    CONF_SET(struct sample, colours, "t_colours", "green, red", colours, "Some colours."),
    CONF_SECS(struct sample, pause, "t_pause", "90s", 1, 0, "A pause."),
    CONF_SECS(struct sample, days, "t_days", "5d", 0, 0, "A life time."),
    CONF_SIZE(struct sample, size, "t_size", "4096", 0, 0, "A size."),
    CONF_LIST(struct sample, list, "t_list", "a, b c", "A list."),
};
static const struct conf_table table = {rows, ARRAY_LEN(rows)};

static struct conf *load(const char *text)
{
	struct conf *conf;
	struct err err;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", text, strlen(text), &conf, &err), 0);
	return conf;
}

START_TEST(defaults)
{
	struct conf *conf = load("");
	struct conf_report report = {0};
	struct sample s;

	ck_assert_int_eq(conf_fill(conf, &table, &s, &report), 0);
	ck_assert_str_eq(s.text, "hello 5");
	ck_assert_str_eq(s.raw, "$home/x");
	ck_assert(s.flag);
	ck_assert_int_eq(s.number, 5);
	ck_assert_int_eq(s.colour, 2);
	ck_assert_int_eq(s.colours, 3);
	ck_assert_int_eq(s.pause, 90);
	ck_assert_int_eq(s.days, 5 * 86400);
	ck_assert_int_eq(s.size, 4096);
	ck_assert_uint_eq(s.list.count, 3);
	ck_assert_str_eq(s.list.items[2], "c");
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

START_TEST(values)
{
	struct conf *conf = load("t_text = $t_raw!\nt_raw = ${a\nt_flag = NO\nt_number = 10\n"
	                         "t_colour = Red\nt_pause = 2h\nt_days = 2\n"
	                         "t_size = 9000000000\nt_list = x:{a, b} ,, {c d}\n");
	struct conf_report report = {0};
	struct sample s;

	ck_assert_int_eq(conf_fill(conf, &table, &s, &report), -1); /* t_text uses t_raw */
	ck_assert_uint_eq(report.problems, 1);
	ck_assert_str_eq(s.raw, "${a");
	ck_assert(!s.flag);
	ck_assert_int_eq(s.number, 10);
	ck_assert_int_eq(s.colour, 1);
	ck_assert_int_eq(s.pause, 7200);
	ck_assert_int_eq(s.days, 2 * 86400); /* the unit of the default */
	ck_assert_int_eq(s.size, 9000000000);
	ck_assert_uint_eq(s.list.count, 2);
	ck_assert_str_eq(s.list.items[0], "x:{a, b}");
	ck_assert_str_eq(s.list.items[1], "{c d}");
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

static const struct {
	const char *line, *message;
} bad[] = {
    {"t_flag = maybe", "main.cf: line 1: t_flag = maybe: expected yes or no\n"},
    {"t_number = 11", "main.cf: line 1: t_number = 11: expected 1 to 10\n"},
    {"t_number = 1x", "main.cf: line 1: t_number = 1x: expected a whole number\n"},
    {"t_number = 99999999999",
        "main.cf: line 1: t_number = 99999999999: expected a whole number\n"},
    {"t_number =", "main.cf: line 1: t_number = : expected a whole number\n"},
    {"t_pause = 0", "main.cf: line 1: t_pause = 0: expected 1s or more\n"},
    {"t_pause = 1y",
        "main.cf: line 1: t_pause = 1y: expected a time such as 30s, 5m, 2h, 1d, 1w\n"},
    {"t_pause = 99999999w",
        "main.cf: line 1: t_pause = 99999999w: expected a time below 68 years\n"},
    {"t_size = 10k", "main.cf: line 1: t_size = 10k: expected a size in bytes, without a unit\n"},
    {"t_size = -1", "main.cf: line 1: t_size = -1: expected a size in bytes, without a unit\n"},
    {"t_colour = blue", "main.cf: line 1: t_colour = blue: expected one of: red, green\n"},
    {"t_colours = red,blue",
        "main.cf: line 1: t_colours = red,blue: expected words among: red, green\n"},
    {"t_text = $t_text",
        "main.cf: line 1: t_text = $t_text: parameter loop: t_text is used by t_text\n"},
};

START_TEST(bad_values_are_named_and_replaced)
{
	struct conf *conf = load(bad[_i].line);
	struct conf_report report = {0};
	struct sample s;

	ck_assert_int_eq(conf_fill(conf, &table, &s, &report), -1);
	ck_assert_str_eq(str_text(&report.text), bad[_i].message);
	ck_assert_int_eq(s.number, 5);
	ck_assert_int_eq(s.pause, 90);
	ck_assert_int_eq(s.colour, 2);
	ck_assert_ptr_nonnull(s.text);
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

START_TEST(all_problems_are_reported)
{
	struct conf *conf = load("t_flag = x\nt_number = y\nt_days = z\n");
	const struct conf_table *const tables[] = {&table, &table, NULL};
	struct conf_report report = {0};
	struct sample s;

	ck_assert_int_eq(conf_fill(conf, &table, &s, &report), -1);
	ck_assert_uint_eq(report.problems, 3);
	conf_report_fini(&report);
	ck_assert_int_eq(conf_check_values(conf, tables, &report), -1);
	ck_assert_uint_eq(report.problems, 3); /* each name once */
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

static int family_int(struct conf *conf, const struct conf_family *family, const char *transport)
{
	int value = 0;

	conf_family_get(conf, family, transport, &value);
	return value;
}

START_TEST(families)
{
	static const struct conf_family limit = {"_destination_concurrency_limit",
	    "default_destination_concurrency_limit", &conf_kind_int, 0, 0, ""};
	static const struct conf_family delay = {
	    "_destination_rate_delay", "default_destination_rate_delay", &conf_kind_secs, 0, 0, ""};
	struct conf *conf = load("slow_destination_concurrency_limit = 1\n"
	                         "bad_destination_concurrency_limit = many\n"
	                         "default_destination_concurrency_limit = 33\n"
	                         "slow_destination_rate_delay = 2m\n");

	ck_assert_int_eq(family_int(conf, &limit, "slow"), 1);
	ck_assert_int_eq(family_int(conf, &limit, "smtp"), 33);
	ck_assert_int_eq(family_int(conf, &limit, "local"), 2); /* its own default */
	ck_assert_int_eq(family_int(conf, &limit, "bad"), 33);
	ck_assert_int_eq(family_int(conf, &delay, "slow"), 120);
	ck_assert_int_eq(family_int(conf, &delay, "smtp"), 0);
	conf_free(&conf);
}
END_TEST

/* A transport's own value is checked with the table that has its default. */
START_TEST(bad_family_values_are_reported)
{
	struct {
		int limit;
		struct conf_feedback feedback;
	} s;
	const struct conf_param family_rows[] = {
	    {"default_destination_concurrency_limit", &conf_kind_int, 0, "20", 0, 0, NULL, ""},
	    {"default_destination_concurrency_positive_feedback", &conf_kind_feedback,
	        offsetof(__typeof__(s), feedback), "1", 0, 0, NULL, ""}};
	const struct conf_table family_table = {family_rows, ARRAY_LEN(family_rows)};
	struct conf *conf = load("slow_destination_concurrency_limit = many\n"
	                         "fast_destination_concurrency_positive_feedback = 2\n"
	                         "good_destination_concurrency_positive_feedback = 1/concurrency\n"
	                         "other_destination_rate_delay = for ever\n");
	struct conf_report report = {0};

	ck_assert_int_eq(conf_fill(conf, &family_table, &s, &report), -1);
	ck_assert_uint_eq(report.problems, 2);
	ck_assert_ptr_nonnull(strstr(str_text(&report.text),
	    "line 1: slow_destination_concurrency_limit = many: expected a whole number"));
	ck_assert_ptr_nonnull(strstr(str_text(&report.text),
	    "line 2: fast_destination_concurrency_positive_feedback = 2: expected a number from"));
	conf_report_fini(&report);
	conf_free(&conf);
}
END_TEST

TCase *kinds_tcase(void)
{
	TCase *tcase = tcase_create("kinds");

	tcase_add_test(tcase, defaults);
	tcase_add_test(tcase, values);
	tcase_add_loop_test(tcase, bad_values_are_named_and_replaced, 0, ARRAY_LEN(bad));
	tcase_add_test(tcase, all_problems_are_reported);
	tcase_add_test(tcase, families);
	tcase_add_test(tcase, bad_family_values_are_reported);
	return tcase;
}
