/* SPDX-License-Identifier: ISC */
#include "lib/sasl/server.h"

#include <string.h>

#include "lib/sasl/client.h"
#include "tests/unit/lib/sasl/suite.h"

static enum sasl_answer password(void *arg UNUSED, const char *user, const char *secret)
{
	if (strcmp(user, "busy") == 0)
		return SASL_TRY_LATER;
	return strcmp(user, "user") == 0 && strcmp(secret, "pencil") == 0 ? SASL_YES : SASL_NO;
}

static enum sasl_answer verifier(
    void *arg UNUSED, const char *user, enum digest_kind kind, struct scram_verifier *out)
{
	if (strcmp(user, "busy") == 0)
		return SASL_TRY_LATER;
	if (strcmp(user, "user") != 0)
		return SASL_NO;
	ck_assert_int_eq(
	    scram_verifier_make(kind, slice_text("pencil"), slice_text("salt"), 4096, out), 0);
	return SASL_YES;
}

static enum sasl_answer token(
    void *arg UNUSED, const char *user, const char *text, struct str *user_out)
{
	if (strcmp(user, "busy") == 0)
		return SASL_TRY_LATER;
	if (strcmp(text, "pencil") != 0 || (*user && strcmp(user, "user") != 0))
		return SASL_NO;
	str_put_text(user_out, "user");
	return SASL_YES;
}

static const struct sasl_backend backend = {
    .password = password, .verifier = verifier, .token = token, .decoy_key = {"decoy", 5}};

/* Both ends against each other. */
static enum sasl_verdict converse(
    const char *name, const char *user, const char *authzid, const char *secret, bool *believed)
{
	const struct sasl_mechanism *m = sasl_mechanism_find(slice_text(name));
	struct sasl_identity who = {
	    .user = user, .authzid = authzid, .secret = secret, .host = "h", .port = 25};
	struct sasl_server *s = sasl_server_new(m, &backend);
	struct str response = {0}, challenge = {0};
	enum sasl_verdict verdict;
	struct sasl_client *c;

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(sasl_client_new(m, &who, &c, NULL), 0);
	if (sasl_client_first(c, &response, NULL) == 1)
		verdict =
		    sasl_server_step(s, slice_of(str_text(&response), response.len), &challenge);
	else
		verdict = sasl_server_step(s, slice_of(NULL, 0), &challenge);
	for (int i = 0; verdict == SASL_CONTINUE; i++) {
		ck_assert_int_lt(i, 5);
		str_clear(&response);
		ck_assert_int_eq(sasl_client_step(c, slice_of(str_text(&challenge), challenge.len),
		                     &response, NULL),
		    0);
		str_clear(&challenge);
		verdict =
		    sasl_server_step(s, slice_of(str_text(&response), response.len), &challenge);
	}
	*believed = sasl_client_complete(c);
	if (verdict == SASL_ACCEPTED)
		ck_assert_str_eq(sasl_server_user(s), "user");
	else
		ck_assert_int_eq(sasl_server_step(s, slice_text(""), &challenge), SASL_REFUSED);
	str_fini(&response);
	str_fini(&challenge);
	sasl_client_free(&c);
	sasl_server_free(&s);
	return verdict;
}

static const char *const spoken[] = {
    "PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2"};

START_TEST(round_trips)
{
	bool believed;

	ck_assert_int_eq(converse(spoken[_i], "user", "", "pencil", &believed), SASL_ACCEPTED);
	ck_assert(believed);
	ck_assert_int_eq(converse(spoken[_i], "user", "", "pen", &believed), SASL_REFUSED);
	ck_assert_int_eq(converse(spoken[_i], "nobody", "", "pencil", &believed), SASL_REFUSED);
	ck_assert_int_eq(converse(spoken[_i], "busy", "", "pencil", &believed), SASL_LATER);
}
END_TEST

START_TEST(nobody_acts_for_another)
{
	bool believed;

	ck_assert_int_eq(converse("PLAIN", "user", "root", "pencil", &believed), SASL_REFUSED);
	ck_assert_int_eq(converse("PLAIN", "user", "user", "pencil", &believed), SASL_ACCEPTED);
	ck_assert_int_eq(
	    converse("SCRAM-SHA-256", "user", "root", "pencil", &believed), SASL_REFUSED);
	ck_assert_int_eq(
	    converse("SCRAM-SHA-256", "user", "user", "pencil", &believed), SASL_ACCEPTED);
}
END_TEST

/* The server's part of RFC 7677 section 3. */
START_TEST(scram_of_rfc_7677)
{
	static const char first[] = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	                            "s=c2FsdA==,i=4096";
	struct sasl_server *s =
	    sasl_server_new(sasl_mechanism_find(slice_text("SCRAM-SHA-256")), &backend);
	struct str out = {0};

	sasl_server_set_nonce(s, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
	ck_assert_int_eq(sasl_server_step(s, slice_text("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), &out),
	    SASL_CONTINUE);
	ck_assert_str_eq(str_text(&out), first);
	str_fini(&out);
	sasl_server_free(&s);
}
END_TEST

START_TEST(strangers_look_like_users)
{
	const struct sasl_mechanism *m = sasl_mechanism_find(slice_text("SCRAM-SHA-256"));
	struct str out[2] = {{0}, {0}};

	for (int i = 0; i < 2; i++) {
		struct sasl_server *s = sasl_server_new(m, &backend);

		sasl_server_set_nonce(s, "server");
		ck_assert_int_eq(
		    sasl_server_step(s, slice_text("n,,n=stranger,r=12345678"), &out[i]),
		    SASL_CONTINUE);
		sasl_server_free(&s);
	}
	ck_assert_str_eq(str_text(&out[0]), str_text(&out[1]));
	ck_assert(strstr(str_text(&out[0]), ",i=4096") != NULL);
	str_fini(&out[0]);
	str_fini(&out[1]);
}
END_TEST

/* ^ stands for \1, ~ for \0 */
static const struct {
	const char *mechanism;
	const char *responses[3]; /* all but the last lead to a challenge */
} malformed[] = {
    {"PLAIN", {""}},
    {"PLAIN", {"user"}},
    {"PLAIN", {"~user"}},
    {"PLAIN", {"~user~"}},
    {"PLAIN", {"~~pencil"}},
    {"PLAIN", {"~user~pencil~"}},
    {"PLAIN", {"~us^er~pencil"}},
    {"LOGIN", {""}},
    {"LOGIN", {"user", ""}},
    {"LOGIN", {"user", "pen~cil"}},
    {"LOGIN", {"us~er"}},
    {"SCRAM-SHA-256", {""}},
    {"SCRAM-SHA-256", {"n"}},
    {"SCRAM-SHA-256", {"n,,"}},
    {"SCRAM-SHA-256", {"n,,n=user"}},
    {"SCRAM-SHA-256", {"n,,n=user,r=short"}},
    {"SCRAM-SHA-256", {"n,,n=,r=12345678"}},
    {"SCRAM-SHA-256", {"n,,n=us=er,r=12345678"}},
    {"SCRAM-SHA-256", {"n,,n=us~er,r=12345678"}},
    {"SCRAM-SHA-256", {"n,,m=x,n=user,r=12345678"}},
    {"SCRAM-SHA-256", {"p=tls-unique,,n=user,r=12345678"}},
    {"SCRAM-SHA-256", {"x,,n=user,r=12345678"}},
    {"SCRAM-SHA-256", {"n,b=x,n=user,r=12345678"}},
    {"SCRAM-SHA-256", {"n,,n=user,r=12345678", ""}},
    {"SCRAM-SHA-256", {"n,,n=user,r=12345678", "c=biws,r=other,p=AAAA"}},
    {"SCRAM-SHA-256", {"n,,n=user,r=12345678", "c=biws,r=12345678server"}},
    {"SCRAM-SHA-256", {"n,,n=user,r=12345678", "c=biws,r=12345678server,p=AAAA"}},
    {"SCRAM-SHA-256",
        {"n,,n=user,r=12345678",
            "c=eSws,r=12345678server,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="}},
    {"OAUTHBEARER", {""}},
    {"OAUTHBEARER", {"n,,"}},
    {"OAUTHBEARER", {"n,,^^"}},
    {"OAUTHBEARER", {"n,,^auth=Basic x^^"}},
    {"OAUTHBEARER", {"n,,^auth=Bearer ^^"}},
    {"OAUTHBEARER", {"n,,^auth=Bearer x^"}},
    {"OAUTHBEARER", {"n,,^auth=Bearer x^^^"}},
    {"OAUTHBEARER", {"p=x,,^auth=Bearer x^^"}},
    {"OAUTHBEARER", {"n,a=u=ser,^auth=Bearer x^^"}},
    {"OAUTHBEARER", {"n,a=user^auth=Bearer x^^"}},
    {"XOAUTH2", {"auth=Bearer x^^"}},
    {"XOAUTH2", {"user=u^^"}},
    {"XOAUTH2", {"user=^auth=Bearer x^^"}},
    {"XOAUTH2", {"user=u^auth=Bearer a~b^^"}},
};

START_TEST(bad_responses)
{
	struct sasl_server *s =
	    sasl_server_new(sasl_mechanism_find(slice_text(malformed[_i].mechanism)), &backend);
	struct str out = {0};

	sasl_server_set_nonce(s, "server");
	for (size_t k = 0; malformed[_i].responses[k]; k++) {
		const char *text = malformed[_i].responses[k];
		size_t len = strlen(text);
		char buf[200];

		for (size_t i = 0; i < len; i++)
			buf[i] = text[i] == '^' ? '\1' : text[i] == '~' ? '\0' : text[i];
		ck_assert_int_eq(sasl_server_step(s, slice_of(buf, len), &out),
		    malformed[_i].responses[k + 1] ? SASL_CONTINUE : SASL_MALFORMED);
	}
	str_fini(&out);
	sasl_server_free(&s);
}
END_TEST

START_TEST(who_leaves_the_name_to_the_token)
{
	struct sasl_server *s =
	    sasl_server_new(sasl_mechanism_find(slice_text("OAUTHBEARER")), &backend);
	struct str out = {0};

	ck_assert_int_eq(sasl_server_step(s, slice_of(NULL, 0), &out), SASL_CONTINUE);
	ck_assert_int_eq(
	    sasl_server_step(s, slice_text("n,,\1auth=bearer pencil\1\1"), &out), SASL_ACCEPTED);
	ck_assert_str_eq(sasl_server_user(s), "user");
	str_fini(&out);
	sasl_server_free(&s);
}
END_TEST

START_TEST(what_the_backend_lacks)
{
	static const struct sasl_backend none = {.arg = NULL};

	for (size_t i = 0; sasl_mechanism_at(i); i++)
		ck_assert_ptr_null(sasl_server_new(sasl_mechanism_at(i), &none));
	ck_assert_ptr_null(sasl_server_new(sasl_mechanism_find(slice_text("CRAM-MD5")), &backend));
}
END_TEST

TCase *server_tcase(void)
{
	TCase *tc = tcase_create("server");

	tcase_add_loop_test(tc, round_trips, 0, ARRAY_LEN(spoken));
	tcase_add_test(tc, nobody_acts_for_another);
	tcase_add_test(tc, scram_of_rfc_7677);
	tcase_add_test(tc, strangers_look_like_users);
	tcase_add_loop_test(tc, bad_responses, 0, ARRAY_LEN(malformed));
	tcase_add_test(tc, who_leaves_the_name_to_the_token);
	tcase_add_test(tc, what_the_backend_lacks);
	return tc;
}
