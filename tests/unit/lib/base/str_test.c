/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/str.h"
#include "suite.h"

START_TEST(grows)
{
	struct str s = {0};
	char *stolen;

	ck_assert_str_eq(str_text(&s), "");
	for (int i = 0; i < 10000; i++)
		str_put_char(&s, (char)('a' + i % 26));
	ck_assert_uint_eq(s.len, 10000);
	ck_assert_uint_eq(strlen(str_text(&s)), 10000);
	str_cut(&s, 3);
	ck_assert_str_eq(str_text(&s), "abc");
	str_printf(&s, "-%d-%s", 42, "x");
	ck_assert_str_eq(str_text(&s), "abc-42-x");
	str_consume(&s, 4);
	ck_assert_str_eq(str_text(&s), "42-x");
	str_consume(&s, 4);
	ck_assert_uint_eq(s.len, 0);
	str_put_text(&s, "mine");
	stolen = str_steal(&s);
	ck_assert_str_eq(stolen, "mine");
	ck_assert_str_eq(str_text(&s), "");
	free(stolen);
	str_fini(&s);
}
END_TEST

START_TEST(long_printf)
{
	struct str s = {0};

	str_printf(&s, "%5000d", 7);
	ck_assert_uint_eq(s.len, 5000);
	ck_assert_int_eq(s.data[4999], '7');
	str_fini(&s);
}
END_TEST

START_TEST(bounded)
{
	struct str s = {.max = 8};

	str_put_text(&s, "12345");
	ck_assert(!s.overflow);
	str_put_text(&s, "67890");
	ck_assert(s.overflow);
	ck_assert_uint_le(s.len, 8);
	ck_assert_int_eq(strncmp(str_text(&s), "12345678", s.len), 0);
	str_clear(&s);
	ck_assert(!s.overflow);
	str_printf(&s, "%s", "0123456789");
	ck_assert(s.overflow);
	ck_assert_uint_le(s.len, 8);
	str_fini(&s);
}
END_TEST

START_TEST(zero_bytes)
{
	struct str s = {0};

	ck_assert_ptr_nonnull(str_cstr(&s));
	str_put(&s, "a\0b", 3);
	ck_assert_ptr_null(str_cstr(&s));
	str_cut(&s, 1);
	ck_assert_str_eq(str_cstr(&s), "a");
	str_fini(&s);
}
END_TEST

START_TEST(slices)
{
	ck_assert(slice_eq(slice_trim(slice_text(" \t a b\r\n")), "a b"));
	ck_assert(slice_eq(slice_trim(slice_text(" \r\n\t")), ""));
	ck_assert(slice_eq(slice_text(NULL), ""));
	ck_assert(!slice_eq(slice_of("abc", 2), "abc"));
	ck_assert(slice_eq(slice_of("abc", 2), "ab"));
	ck_assert(slice_eq_nocase(slice_text("MiXeD"), "mIxEd"));
	ck_assert(!slice_eq_nocase(slice_text("mixe"), "mixed"));
	ck_assert(slice_has(slice_text("a@b"), '@'));
	ck_assert(!slice_has(slice_of("a@b", 1), '@'));
	ck_assert(!slice_has(slice_text(NULL), '@'));
}
END_TEST

START_TEST(ascii_case)
{
	char text[] = "\xc4\xd6 ABC[@`{z";

	text_lower(text);
	ck_assert_str_eq(text, "\xc4\xd6 abc[@`{z");
	ck_assert(text_eq_nocase("Content-TYPE", "content-type"));
	ck_assert(!text_eq_nocase("@", "`"));
	ck_assert(!text_eq_nocase("[", "{"));
	ck_assert(text_starts_nocase("MAIL FROM:", "mail "));
	ck_assert(!text_starts_nocase("MA", "mail"));
	ck_assert(text_ends_nocase("host.EXAMPLE", ".example"));
	ck_assert(!text_ends_nocase("le", "example"));
	ck_assert(text_ends_nocase("x", ""));
}
END_TEST

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *coded;
} vectors[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};

START_TEST(base64)
{
	struct str s = {0};

	base64_encode(&s, vectors[_i].plain, strlen(vectors[_i].plain));
	ck_assert_str_eq(str_text(&s), vectors[_i].coded);
	str_clear(&s);
	ck_assert_int_eq(base64_decode(&s, vectors[_i].coded, strlen(vectors[_i].coded)), 0);
	ck_assert_str_eq(str_text(&s), vectors[_i].plain);
	str_fini(&s);
}
END_TEST

static const char *const not_base64[] = {"Z", "Zg",
    "Zg=", "Zg===", "Zh==", "Zm9=", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm9*", "=Zm9",
    "Z=g=", "-_79"};

START_TEST(base64_refused)
{
	struct str s = {0};

	ck_assert_int_eq(base64_decode(&s, not_base64[_i], strlen(not_base64[_i])), -1);
	str_fini(&s);
}
END_TEST

TCase *str_tcase(void)
{
	TCase *tc = tcase_create("str");

	tcase_add_test(tc, grows);
	tcase_add_test(tc, long_printf);
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, zero_bytes);
	tcase_add_test(tc, slices);
	tcase_add_test(tc, ascii_case);
	tcase_add_loop_test(tc, base64, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_loop_test(tc, base64_refused, 0, sizeof(not_base64) / sizeof(not_base64[0]));
	return tc;
}
