/* SPDX-License-Identifier: ISC */
#include "lib/auth/entry.h"

#include "lib/auth/password.h"
#include "suite.h"

#define VERIFIER                                                                         \
	"4096%sbszlESWUyOQ/CTrB/VOCyg==%st6WK6+PnkX04ySnpS+m85u95BFoVtXWsEYtTIru+ev8=%s" \
	"780C6sKRffhimMactiw6p8kXgtJig5wDs8zBGfdFhqs="

static struct user_entry e;
static struct err err;

static int parse(const char *text)
{
	return user_entry_parse(slice_text(text), &e, &err);
}

START_TEST(test_forms)
{
	struct str text = {0};

	str_printf(&text, "$y$j9T$abc$def SCRAM-SHA-256$" VERIFIER " user=Joe", ":", "$", ":");
	ck_assert_int_eq(parse(str_text(&text)), 0);
	ck_assert_str_eq(e.hash, "$y$j9T$abc$def");
	ck_assert_str_eq(e.user, "Joe");
	ck_assert(e.has_verifier[DIGEST_SHA256] && !e.has_verifier[DIGEST_SHA1] && !e.disabled);
	ck_assert(scram_verifier_check(&e.verifier[DIGEST_SHA256], slice_text("secret")));
	str_clear(&text);
	str_printf(&text, "{scram-sha-256}" VERIFIER, ",", ",", ",");
	ck_assert_int_eq(parse(str_text(&text)), 0);
	ck_assert(scram_verifier_check(&e.verifier[DIGEST_SHA256], slice_text("secret")));
	str_fini(&text);
	ck_assert_int_eq(parse("{PLAIN}se=}cret"), 0);
	ck_assert_str_eq(e.password, "se=}cret");
	ck_assert_int_eq(parse("{PLAIN.B64}YSBi"), 0);
	ck_assert_str_eq(e.password, "a b");
	ck_assert_int_eq(parse("{SHA512-CRYPT}$6$x$y disabled"), 0);
	ck_assert_str_eq(e.hash, "$6$x$y");
	ck_assert(e.disabled);
	ck_assert_int_eq(parse("!$6$x$y"), 0);
	ck_assert(e.disabled && !e.hash[0]);
}
END_TEST

static const char *const bad[] = {"", " ", "user=joe", "secret", "{PLAIN}", "{PLAIN.B64}!",
    "{MD9}x", "{SCRAM-SHA-256}1,2", "{SCRAM-SHA-256}1,2,3,4,5", "SCRAM-SHA-256$x", "$6$x$y user="};

START_TEST(test_bad)
{
	err.text[0] = '\0';
	ck_assert_int_eq(parse(bad[_i]), -1);
	ck_assert_str_ne(err.text, "");
	ck_assert_ptr_null(strstr(err.text, "secret"));
}
END_TEST

START_TEST(test_tokens)
{
	static const char text[] = "user=joe expires=123 scope=imap,smtp:send active=true";
	struct token_entry t;

	ck_assert_int_eq(token_entry_parse(slice_text(text), &t, &err), 0);
	ck_assert_str_eq(t.user, "joe");
	ck_assert_int_eq(t.expires, 123);
	ck_assert(!t.inactive && token_entry_allows(&t, "smtp:send") && token_entry_allows(&t, ""));
	ck_assert(!token_entry_allows(&t, "smtp") && !token_entry_allows(&t, "imap,smtp:send"));
	ck_assert_int_eq(token_entry_parse(slice_text("user=joe active=false"), &t, &err), 0);
	ck_assert(t.inactive && t.expires == 0 && !token_entry_allows(&t, "smtp"));
	ck_assert_int_eq(token_entry_parse(slice_text("scope=x"), &t, &err), -1);
	ck_assert_int_eq(token_entry_parse(slice_text("user=joe expires=soon"), &t, &err), -1);
	ck_assert_int_eq(token_entry_parse(slice_text("user=joe expires=0"), &t, &err), -1);
	ck_assert_int_eq(token_entry_parse(slice_text("user=joe what=x"), &t, &err), -1);
	ck_assert_int_eq(token_entry_parse(slice_text("joe"), &t, &err), -1);
}
END_TEST

START_TEST(test_hashes)
{
	static const char *const methods[] = {NULL, "$6$", "$2b$"};
	struct str hash = {0};
	bool match;

	ck_assert_int_eq(password_hash("secret", methods[_i], &hash, &err), 0);
	ck_assert_int_eq(password_check(str_text(&hash), "secret", &match, &err), 0);
	ck_assert(match);
	ck_assert_int_eq(password_check(str_text(&hash), "Secret", &match, &err), 0);
	ck_assert(!match);
	ck_assert_int_eq(password_check("$no$such", "secret", &match, &err), -1);
	ck_assert(!match);
	str_fini(&hash);
}
END_TEST

TCase *entry_tcase(void)
{
	TCase *tcase = tcase_create("entry");

	tcase_add_test(tcase, test_forms);
	tcase_add_loop_test(tcase, test_bad, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, test_tokens);
	tcase_add_loop_test(tcase, test_hashes, 0, 3);
	return tcase;
}
