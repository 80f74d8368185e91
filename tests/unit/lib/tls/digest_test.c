/* SPDX-License-Identifier: ISC */
#include "lib/tls/digest.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/lib/tls/suite.h"

static const char *hex(const unsigned char *data, size_t len)
{
	static char text[2 * DIGEST_LEN_MAX + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

static const struct {
	enum digest_kind kind;
	const char *hash; /* of "abc" */
	const char *hmac; /* key "Jefe", "what do ya want for nothing?" (RFC 2202, RFC 4231) */
} cases[] = {
    {DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72", "750c783e6ab0b503eaa86e310a5db738"},
    {DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d",
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
};

START_TEST(vectors)
{
	enum digest_kind kind = cases[_i].kind;
	unsigned char out[DIGEST_LEN_MAX];

	ck_assert_int_eq(digest_hash(kind, slice_text("abc"), out), 0);
	ck_assert_str_eq(hex(out, digest_len(kind)), cases[_i].hash);
	ck_assert_int_eq(
	    digest_hmac(kind, slice_text("Jefe"), slice_text("what do ya want for nothing?"), out),
	    0);
	ck_assert_str_eq(hex(out, digest_len(kind)), cases[_i].hmac);
	ck_assert_int_eq(digest_hmac(kind, slice_text(NULL), slice_text(NULL), out), 0);
}
END_TEST

START_TEST(pbkdf2)
{
	unsigned char out[DIGEST_LEN_MAX];

	/* RFC 6070 */
	ck_assert_int_eq(
	    digest_pbkdf2(DIGEST_SHA1, slice_text("password"), slice_text("salt"), 4096, out), 0);
	ck_assert_str_eq(hex(out, 20), "4b007901b765489abead49d926f721d065a429c1");
	/* RFC 7914 section 11, its first 32 bytes */
	ck_assert_int_eq(
	    digest_pbkdf2(DIGEST_SHA256, slice_text("passwd"), slice_text("salt"), 1, out), 0);
	ck_assert_str_eq(
	    hex(out, 32), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	ck_assert_int_eq(
	    digest_pbkdf2(DIGEST_SHA256, slice_text("x"), slice_text("salt"), 0, out), -1);
}
END_TEST

START_TEST(equal_and_wipe)
{
	char secret[] = "secret";

	ck_assert(digest_equal("abc", "abc", 3));
	ck_assert(!digest_equal("abc", "abd", 3));
	digest_wipe(secret, sizeof(secret));
	ck_assert(memcmp(secret, "\0\0\0\0\0\0\0", sizeof(secret)) == 0);
}
END_TEST

TCase *digest_tcase(void)
{
	TCase *tc = tcase_create("digest");

	tcase_add_loop_test(tc, vectors, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, pbkdf2);
	tcase_add_test(tc, equal_and_wipe);
	return tc;
}
