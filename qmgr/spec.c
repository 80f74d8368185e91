/* SPDX-License-Identifier: ISC */
#include "qmgr/spec.h"

#include <string.h>

enum { OPTIONS_MAX = 32 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

bool spec_word(struct slice *rest, struct slice *word_out)
{
	size_t at = 0, end;

	while (at < rest->len && is_blank(rest->data[at]))
		at++;
	for (end = at; end < rest->len && !is_blank(rest->data[end]);)
		end++;
	*word_out = slice_of(rest->data + at, end - at);
	*rest = slice_of(rest->data + end, rest->len - end);
	return word_out->len > 0;
}

static int64_t unit_seconds(char c)
{
	static const struct {
		char c;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].c == c)
			return units[i].seconds;
	}
	return 0;
}

bool spec_seconds(struct slice text, int64_t max, int64_t *seconds_out)
{
	int64_t unit = text.len > 0 ? unit_seconds(text.data[text.len - 1]) : 0;
	size_t digits = text.len - (unit > 0);
	uint64_t n = 1;

	if (unit == 0)
		unit = 1;
	if (text.len == 0 || (digits > 0 && !num_u64(text.data, digits, (uint64_t)max, &n)))
		return false;
	if (n == 0 || (int64_t)n > max / unit)
		return false;
	*seconds_out = (int64_t)n * unit;
	return true;
}

int spec_options(
    struct slice rest, const struct spec_option *options, size_t count, void *into, struct err *err)
{
	bool seen[OPTIONS_MAX] = {false};
	struct slice word;

	while (spec_word(&rest, &word)) {
		const char *equals = memchr(word.data, '=', word.len);
		size_t name = equals ? (size_t)(equals - word.data) : word.len, i = 0;

		while (i < count && !slice_eq_nocase(slice_of(word.data, name), options[i].name))
			i++;
		if (i == count || !equals)
			return err_set(err, 0, "\"%.*s\" is no option", SLICE_ARG(word));
		if (seen[i])
			return err_set(err, 0, "%s= is there twice", options[i].name);
		seen[i] = true;
		if (options[i].parse(slice_of(equals + 1, word.len - name - 1), into, err) < 0)
			return -1;
	}
	return 0;
}
