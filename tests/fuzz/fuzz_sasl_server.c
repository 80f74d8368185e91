/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/sasl/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sasl_answer password(void *arg UNUSED, const char *user, const char *secret)
{
	must(*user && *secret && strlen(user) <= SASL_USER_MAX);
	return strcmp(user, secret) == 0 ? SASL_YES : SASL_NO;
}

static enum sasl_answer verifier(
    void *arg UNUSED, const char *user, enum digest_kind kind, struct scram_verifier *out)
{
	must(*user && strlen(user) <= SASL_USER_MAX);
	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->salt_len = 4;
	out->iterations = SCRAM_ITERATIONS;
	return *user == 'u' ? SASL_YES : SASL_NO;
}

static enum sasl_answer token(
    void *arg UNUSED, const char *user, const char *text, struct str *user_out)
{
	must(*text && strlen(user) <= SASL_USER_MAX);
	str_put_text(user_out, text);
	return *text == 'y' ? SASL_YES : SASL_NO;
}

static const struct sasl_backend backend = {
    .password = password, .verifier = verifier, .token = token, .decoy_key = {"key", 3}};

/* The first byte chooses the mechanism; responses end in LF, "!" alone is a missing one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	struct sasl_server *s;
	struct str out = {0};

	if (size < 1 || !sasl_mechanism_at(data[0] & 7) ||
	    !(s = sasl_server_new(sasl_mechanism_at(data[0] & 7), &backend)))
		return 0;
	sasl_server_set_nonce(s, "server");
	for (int i = 0; i < 10 && p < end; i++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct slice in = slice_of(p, (size_t)((lf ? lf : end) - p));
		enum sasl_verdict verdict;

		p = lf ? lf + 1 : end;
		verdict = sasl_server_step(s, slice_eq(in, "!") ? slice_of(NULL, 0) : in, &out);
		must(verdict != SASL_ACCEPTED || *sasl_server_user(s));
		must(out.len < 16384);
	}
	str_fini(&out);
	sasl_server_free(&s);
	return 0;
}
