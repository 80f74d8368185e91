/* SPDX-License-Identifier: ISC */
#include "lib/sasl/scram.h"

#include <string.h>

#include "tests/unit/lib/sasl/suite.h"

START_TEST(verifier_round_trip)
{
	enum digest_kind kind = _i ? DIGEST_SHA1 : DIGEST_SHA256;
	struct scram_verifier made, read;
	struct str text = {0};

	ck_assert_int_eq(
	    scram_verifier_make(kind, slice_text("pencil"), slice_text("salt"), 4096, &made), 0);
	scram_verifier_print(&text, &made);
	ck_assert_int_eq(scram_verifier_parse(slice_of(text.data, text.len), &read, NULL), 0);
	ck_assert_int_eq(memcmp(&made, &read, sizeof(made)), 0);
	ck_assert(scram_verifier_check(&read, slice_text("pencil")));
	ck_assert(!scram_verifier_check(&read, slice_text("pencils")));
	ck_assert(!scram_verifier_check(&read, slice_text("")));
	str_fini(&text);
}
END_TEST

/* As PostgreSQL wrote it of the password "pencil" would be, with the salt of RFC 7677. */
START_TEST(verifier_of_rfc_7677)
{
	static const char text[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
	                           "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
	                           "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
	struct scram_verifier v;

	ck_assert_int_eq(scram_verifier_parse(slice_text(text), &v, NULL), 0);
	ck_assert(scram_verifier_check(&v, slice_text("pencil")));
}
END_TEST

static const char *const bad[] = {
    "",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256$",
    "SCRAM-SHA-512$4096:c2FsdA==$AAAA:AAAA",
    "SCRAM-SHA-1$4096:c2FsdA==$AAAA:AAAA",
    "SCRAM-SHA-1$0:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCRAM-SHA-1$-1:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCRAM-SHA-1$99999999:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCRAM-SHA-1$4096:$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCRAM-SHA-1$4096:c2Fsd$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "SCRAM-SHA-1$4096:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA= ",
    "SCRAM-SHA-1$4096:c2FsdA==:AAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
};

START_TEST(bad_verifier)
{
	struct scram_verifier v;
	struct err err;

	ck_assert_int_eq(scram_verifier_parse(slice_text(bad[_i]), &v, &err), -1);
	ck_assert(strstr(err.text, "expected SCRAM-SHA-256$") != NULL);
}
END_TEST

START_TEST(make_bounds)
{
	struct scram_verifier v;

	ck_assert_int_eq(
	    scram_verifier_make(DIGEST_SHA1, slice_text("x"), slice_text(""), 4096, &v), -1);
	ck_assert_int_eq(
	    scram_verifier_make(DIGEST_SHA1, slice_text("x"), slice_text("s"), 1 << 30, &v), -1);
}
END_TEST

START_TEST(names)
{
	struct str text = {0}, back = {0};

	scram_name_encode(&text, "a=b,c");
	ck_assert_str_eq(str_text(&text), "a=3Db=2Cc");
	ck_assert(scram_name_decode(slice_of(text.data, text.len), &back));
	ck_assert_str_eq(str_text(&back), "a=b,c");
	ck_assert(!scram_name_decode(slice_text("a=3"), &back));
	ck_assert(!scram_name_decode(slice_text("a=41"), &back));
	str_fini(&text);
	str_fini(&back);
}
END_TEST

START_TEST(attributes)
{
	struct slice rest = slice_text("r=a=b,s=,i=1,x=y"), value;

	ck_assert(!scram_take(&rest, 's', &value));
	ck_assert(scram_take(&rest, 'r', &value) && slice_eq(value, "a=b"));
	ck_assert(scram_take(&rest, 's', &value) && value.len == 0);
	ck_assert(scram_take(&rest, 'i', &value) && slice_eq(value, "1"));
	ck_assert(scram_take_extensions(&rest));
	rest = slice_text("1=y");
	ck_assert(!scram_take_extensions(&rest));
	rest = slice_text("xy");
	ck_assert(!scram_take_extensions(&rest));
}
END_TEST

TCase *scram_tcase(void)
{
	TCase *tc = tcase_create("scram");

	tcase_add_loop_test(tc, verifier_round_trip, 0, 2);
	tcase_add_test(tc, verifier_of_rfc_7677);
	tcase_add_loop_test(tc, bad_verifier, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, make_bounds);
	tcase_add_test(tc, names);
	tcase_add_test(tc, attributes);
	return tc;
}
