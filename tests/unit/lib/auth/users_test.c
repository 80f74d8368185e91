/* SPDX-License-Identifier: ISC */
#include "lib/auth/users.h"

#include <string.h>

#include "suite.h"

static void note(void *arg, const char *name, unsigned security)
{
	(void)security;
	str_printf(arg, " %s", name);
}

static struct auth *open_users(const char *maps, const char *tokens)
{
	const struct auth_users_config config = {
	    .maps = maps, .token_maps = tokens, .token_scope = "", .domain = ""};

	return auth_users_new(&config);
}

static void check_offer(const char *maps, const char *tokens, const char *wanted)
{
	struct auth *auth = open_users(maps, tokens);
	struct str names = {0};
	struct err err;

	ck_assert_int_eq(auth_mechanisms(auth, note, &names, &err), 0);
	ck_assert_str_eq(str_text(&names), wanted);
	str_fini(&names);
	auth_free(&auth);
	ck_assert_ptr_null(auth);
}

/* What an entry cannot be used for is not on offer. */
START_TEST(test_offers)
{
	check_offer("inline:{ { joe = {PLAIN}x } }", "", " SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN");
	check_offer("inline:{ { joe = {CRYPT}x } }", "", " PLAIN LOGIN");
	check_offer("inline:{ { joe = {CRYPT}x } }", "inline:{ { t = user=joe } }",
	    " PLAIN LOGIN OAUTHBEARER XOAUTH2");
}
END_TEST

static enum sasl_verdict plain(
    struct auth *auth, const char *user, const char *password, struct auth_answer *answer)
{
	struct auth_request request = {.mechanism = "PLAIN", .service = "smtp"};
	struct str text = {0};
	enum sasl_verdict verdict;

	str_put_char(&text, '\0');
	str_put(&text, user, strlen(user) + 1);
	str_put_text(&text, password);
	request.initial = slice_of(text.data, text.len);
	verdict = auth_begin(auth, &request, answer);
	str_fini(&text);
	return verdict;
}

START_TEST(test_logins)
{
	struct auth *auth = open_users(
	    "inline:{ { joe = {PLAIN}x } { al = {PLAIN}y user=joe } { no = {PLAIN}x disabled } "
	    "{ bad = z } }",
	    "");
	struct auth_answer answer = {0};

	ck_assert_int_eq(plain(auth, "Joe", "x", &answer), SASL_ACCEPTED);
	ck_assert_str_eq(str_text(&answer.user), "joe");
	ck_assert_int_eq(plain(auth, "al", "y", &answer), SASL_ACCEPTED);
	ck_assert_str_eq(str_text(&answer.user), "joe");
	ck_assert_int_eq(plain(auth, "joe", "y", &answer), SASL_REFUSED);
	ck_assert_str_eq(str_text(&answer.user), "joe");
	ck_assert_int_eq(plain(auth, "who", "x", &answer), SASL_REFUSED);
	ck_assert_int_eq(plain(auth, "no", "x", &answer), SASL_REFUSED);
	ck_assert_int_eq(plain(auth, "bad", "z", &answer), SASL_LATER);
	ck_assert_int_eq(plain(auth, "joe", "", &answer), SASL_MALFORMED);
	auth_answer_fini(&answer);
	auth_free(&auth);
}
END_TEST

TCase *users_tcase(void)
{
	TCase *tcase = tcase_create("users");

	tcase_add_test(tcase, test_offers);
	tcase_add_test(tcase, test_logins);
	return tcase;
}
