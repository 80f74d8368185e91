/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/attr.h"
#include "smtp/delivery.h"
#include "tests/unit/smtp/suite.h"

static const struct {
	const char *in, *out;
	size_t limit;
	bool broke;
} folds[] = {
    {"", "", 10, false},
    {"0123456789\r\n", "0123456789\r\n", 10, false},
    {"0123456789a\r\n", "0123456789\r\n a\r\n", 10, true},
    {"0123456789abcdefghijk\r\nx\r\n", "0123456789\r\n abcdefghi\r\n jk\r\nx\r\n", 10, true},
    {"a\rb\r\n", "a\rb\r\n", 10, false},
    {"012345678\r9\r\n", "012345678\r\r\n 9\r\n", 10, true},
    {"\r\n\r\n", "\r\n\r\n", 10, false},
    {"012345678\r\r\n", "012345678\r\r\n", 10, false},
};

/* In pieces of every size the result is the same. */
START_TEST(folds_lines)
{
	size_t len = strlen(folds[_i].in);

	for (size_t piece = 1; piece <= len + 1; piece++) {
		struct fold f = {.limit = folds[_i].limit};
		struct str out = {0};

		for (size_t at = 0; at < len; at += piece)
			fold_put(&f, &out, folds[_i].in + at, MIN(piece, len - at));
		ck_assert_str_eq(str_text(&out), folds[_i].out);
		ck_assert_int_eq(f.broke, folds[_i].broke);
		str_fini(&out);
	}
}
END_TEST

TCase *content_tcase(void)
{
	TCase *tc = tcase_create("content");

	tcase_add_loop_test(tc, folds_lines, 0, (int)ARRAY_LEN(folds));
	return tc;
}
