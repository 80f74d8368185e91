/* SPDX-License-Identifier: ISC */
#include "lib/sasl/client.h"

#include <string.h>

#include "tests/unit/lib/sasl/suite.h"

/* A dialogue: what the client says, the server's challenge, and so on. ^ stands for \1, ~ for \0.
 */
struct dialogue {
	const char *mechanism, *user, *authzid, *secret, *nonce;
	const char *turns[6]; /* client, server, client, ...; "" first: the server begins */
	bool complete;
	const char *error; /* of the last step; NULL: none */
};

#define SHA256_NONCE "rOprNGfwEbeRWgbNEkqO"
#define SHA256_BOTH "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SHA256_PROOF "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SHA256_FIRST "n,,n=user,r=" SHA256_NONCE
#define SHA256_CHALLENGE SHA256_BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define SHA256_FINAL "c=biws," SHA256_BOTH "," SHA256_PROOF
#define SHA1_BOTH "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"

static const struct dialogue dialogues[] = {
    {"PLAIN", "tim", "", "tanstaaftanstaaf", NULL, {"~tim~tanstaaftanstaaf"}, true, NULL},
    {"PLAIN", "Kurt", "Ursel", "xipj3plmq", NULL, {"Ursel~Kurt~xipj3plmq"}, true, NULL},
    {"PLAIN", "a", "", "b", NULL, {"~a~b", "what?"}, true, "a challenge where none can be"},
    {"LOGIN", "me", "", "pw", NULL, {"", "Username:", "me", "Password:", "pw"}, true, NULL},
    {"LOGIN", "me", "", "pw", NULL, {"", "Username:", "me"}, false, NULL},
    {"CRAM-MD5", "tim", "", "tanstaaftanstaaf", NULL,
        {"", "<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890"},
        true, NULL},
    {"CRAM-MD5", "tim", "", "x", NULL, {"", "", "tim 197cf37961819444d1a46c8d4e7c2fdc", "again"},
        true, "a second challenge"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_CHALLENGE, SHA256_FINAL,
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""},
        true, NULL},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_CHALLENGE, SHA256_FINAL}, false, NULL},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_CHALLENGE, SHA256_FINAL,
            "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
        false, "the server does not know the password"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_CHALLENGE, SHA256_FINAL, "e=invalid-proof"}, false,
        "the server says invalid-proof"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_CHALLENGE, SHA256_FINAL, ""}, false,
        "the server does not know the password"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"}, false, "other nonce"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, "r=" SHA256_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"}, false,
        "other nonce"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1"}, false, "1 iterations"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, SHA256_BOTH ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000"}, false,
        "2000000000 iterations"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE,
        {SHA256_FIRST, "m=must," SHA256_CHALLENGE}, false, "malformed"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE, {SHA256_FIRST, SHA256_BOTH ",s=,i=4096"},
        false, "malformed"},
    {"SCRAM-SHA-256", "user", "", "pencil", SHA256_NONCE, {SHA256_FIRST, ""}, false, "malformed"},
    {"SCRAM-SHA-1", "user", "", "pencil", "fyko+d2lbbFgONRv9qkxdawL",
        {"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", SHA1_BOTH ",s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws," SHA1_BOTH ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ""},
        true, NULL},
    {"SCRAM-SHA-1", "a,b=c", "d", "x", "nonce", {"n,a=d,n=a=2Cb=3Dc,r=nonce"}, false, NULL},
    {"OAUTHBEARER", "user@example.com", "", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", NULL,
        {"n,a=user@example.com,^host=server.example.com^port=587^auth=Bearer "
         "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==^^"},
        true, NULL},
    {"OAUTHBEARER", "u", "", "token", NULL,
        {"n,a=u,^host=server.example.com^port=587^auth=Bearer token^^",
            "{\"status\":\"invalid_token\"}", "^"},
        false, NULL},
    {"XOAUTH2", "someuser@example.com", "", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", NULL,
        {"user=someuser@example.com^auth=Bearer "
         "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg^^"},
        true, NULL},
    {"XOAUTH2", "u", "", "token", NULL,
        {"user=u^auth=Bearer token^^", "{\"status\":\"401\"}", "", "more"}, false,
        "a second challenge"},
};

static struct slice wire(const char *text, char *buf)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		buf[i] = text[i] == '^' ? '\1' : text[i] == '~' ? '\0' : text[i];
	return slice_of(buf, len);
}

static void expect(const struct str *said, const char *text)
{
	char buf[400];
	struct slice want = wire(text, buf);

	ck_assert_msg(said->len == want.len && memcmp(str_text(said), want.data, want.len) == 0,
	    "said \"%s\", not \"%s\"", str_text(said), text);
}

START_TEST(dialogue)
{
	const struct dialogue *d = &dialogues[_i];
	struct sasl_identity who = {.user = d->user,
	    .authzid = d->authzid,
	    .secret = d->secret,
	    .host = "server.example.com",
	    .port = 587,
	    .nonce = d->nonce};
	struct sasl_client *c;
	struct str said = {0};
	struct err err = {.text = ""};
	int rc;

	ck_assert_int_eq(
	    sasl_client_new(sasl_mechanism_find(slice_text(d->mechanism)), &who, &c, &err), 0);
	rc = sasl_client_first(c, &said, &err);
	ck_assert_int_eq(rc, *d->turns[0] != '\0');
	expect(&said, d->turns[0]);
	for (size_t i = 1; i < ARRAY_LEN(d->turns) && d->turns[i]; i += 2) {
		char buf[400];

		str_clear(&said);
		rc = sasl_client_step(c, wire(d->turns[i], buf), &said, &err);
		if (!d->turns[i + 1]) {
			ck_assert_int_eq(rc, -1);
			ck_assert_msg(d->error && strstr(err.text, d->error), "%s", err.text);
			break;
		}
		ck_assert_int_eq(rc, 0);
		expect(&said, d->turns[i + 1]);
	}
	ck_assert_int_eq(rc == -1, d->error != NULL);
	ck_assert_int_eq(sasl_client_complete(c), d->complete);
	str_fini(&said);
	sasl_client_free(&c);
	ck_assert_ptr_null(c);
}
END_TEST

static const struct {
	const char *mechanism, *user, *secret;
} refused[] = {{"XOAUTH2", "u", ""}, {"XOAUTH2", "u", "a b"}, {"OAUTHBEARER", "u", "a\1b"},
    {"OAUTHBEARER", "u", "t\xc3\xb6ken"}, {"PLAIN", "", "x"}, {"XOAUTH2", "a\1b", "x"}};

START_TEST(cannot_be_said)
{
	struct sasl_identity who = {
	    .user = refused[_i].user, .authzid = "", .secret = refused[_i].secret, .host = ""};
	struct sasl_client *c;
	struct err err;

	ck_assert_int_eq(
	    sasl_client_new(sasl_mechanism_find(slice_text(refused[_i].mechanism)), &who, &c, &err),
	    -1);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(detail_is_printable)
{
	struct sasl_identity who = {.user = "u", .authzid = "", .secret = "t", .host = ""};
	struct sasl_client *c;
	struct str said = {0};

	ck_assert_int_eq(
	    sasl_client_new(sasl_mechanism_find(slice_text("XOAUTH2")), &who, &c, NULL), 0);
	sasl_client_first(c, &said, NULL);
	ck_assert_int_eq(sasl_client_step(c, slice_text("{\"a\"\r\n}"), &said, NULL), 0);
	ck_assert_str_eq(sasl_client_detail(c), "{\"a\"\?\?}");
	str_fini(&said);
	sasl_client_free(&c);
}
END_TEST

TCase *client_tcase(void)
{
	TCase *tc = tcase_create("client");

	tcase_add_loop_test(tc, dialogue, 0, ARRAY_LEN(dialogues));
	tcase_add_loop_test(tc, cannot_be_said, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, detail_is_printable);
	return tc;
}
