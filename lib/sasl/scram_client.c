/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/base64.h"
#include "lib/base/num.h"
#include "lib/sasl/private.h"

/* RFC 5802 section 5, without channel binding (gs2 flag "n"). */

enum digest_kind sasl_scram_digest(const struct sasl_mechanism *m)
{
	return m->kind == SASL_SCRAM_SHA_1 ? DIGEST_SHA1 : DIGEST_SHA256;
}

static void put_gs2(const struct sasl_client *c, struct str *out)
{
	str_put_text(out, "n,");
	if (*c->authzid) {
		str_put_text(out, "a=");
		scram_name_encode(out, c->authzid);
	}
	str_put_char(out, ',');
}

int scram_client_first(struct sasl_client *c, struct str *out, struct err *err)
{
	str_put_text(&c->first, "n=");
	scram_name_encode(&c->first, c->user);
	str_put_text(&c->first, ",r=");
	if (c->nonce)
		str_put_text(&c->first, c->nonce);
	else if (scram_nonce(&c->first) < 0)
		return err_sys(err, "no random numbers");
	put_gs2(c, out);
	str_put(out, c->first.data, c->first.len);
	return 1;
}

struct server_first {
	struct slice nonce;
	struct str salt;
	int iterations;
};

/* "r=client-nonce+more,s=base64,i=4096", extensions may follow. */
static int parse_server_first(
    const struct sasl_client *c, struct slice text, struct server_first *out, struct err *err)
{
	struct slice rest = text, salt, count;
	const char *ours = strrchr(c->first.data, ',') + 3; /* behind ",r=" */
	size_t len = c->first.len - (size_t)(ours - c->first.data);
	uint64_t iterations;

	if (text.len > SCRAM_MESSAGE_MAX || !scram_take(&rest, 'r', &out->nonce) ||
	    !scram_take(&rest, 's', &salt) || !scram_take(&rest, 'i', &count) ||
	    !scram_take_extensions(&rest) || base64_decode(&out->salt, salt.data, salt.len) < 0 ||
	    out->salt.len == 0 || !num_u64(count.data, count.len, INT32_MAX, &iterations))
		return err_set(err, 0, "malformed SCRAM challenge");
	if (out->nonce.len <= len || memcmp(out->nonce.data, ours, len) != 0)
		return err_set(err, 0, "the SCRAM challenge is not for us: other nonce");
	if (iterations < SCRAM_ITERATIONS_MIN || iterations > SCRAM_ITERATIONS_MAX)
		return err_set(err, 0, "SCRAM with %llu iterations: expected %d to %d",
		    (unsigned long long)iterations, SCRAM_ITERATIONS_MIN, SCRAM_ITERATIONS_MAX);
	out->iterations = (int)iterations;
	return 0;
}

/* "c=biws,r=nonce": what is proved covers the whole dialogue. */
static void put_final_without_proof(
    const struct sasl_client *c, const struct server_first *first, struct str *out)
{
	struct str gs2 = {0};

	put_gs2(c, &gs2);
	str_put_text(out, "c=");
	base64_encode(out, gs2.data, gs2.len);
	str_put_text(out, ",r=");
	str_put(out, first->nonce.data, first->nonce.len);
	str_fini(&gs2);
}

static int prove(struct sasl_client *c, const struct server_first *first,
    const struct str *auth_message, struct str *out)
{
	enum digest_kind kind = sasl_scram_digest(c->mechanism);
	struct slice message = slice_of(auth_message->data, auth_message->len);
	unsigned char proof[DIGEST_LEN_MAX], server[DIGEST_LEN_MAX];
	size_t len = digest_len(kind);
	struct scram_keys keys;
	int rc = -1;

	if (scram_derive(kind, slice_text(c->secret), slice_of(first->salt.data, first->salt.len),
	        first->iterations, &keys) == 0 &&
	    digest_hmac(kind, slice_of((char *)keys.stored_key, len), message, proof) == 0 &&
	    digest_hmac(kind, slice_of((char *)keys.server_key, len), message, server) == 0) {
		for (size_t i = 0; i < len; i++)
			proof[i] ^= keys.client_key[i];
		str_put_text(out, ",p=");
		base64_encode(out, proof, len);
		base64_encode(&c->server_signature, server, len);
		rc = 0;
	}
	digest_wipe(&keys, sizeof(keys));
	return rc;
}

static int answer_server_first(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err)
{
	struct server_first first = {.salt = {.max = SCRAM_SALT_MAX}};
	struct str auth_message = {0}, final = {0};
	int rc = parse_server_first(c, challenge, &first, err);

	if (rc == 0) {
		put_final_without_proof(c, &first, &final);
		str_printf(&auth_message, "%s,", c->first.data);
		str_put(&auth_message, challenge.data, challenge.len);
		str_put_char(&auth_message, ',');
		str_put(&auth_message, final.data, final.len);
		rc = prove(c, &first, &auth_message, &final);
		if (rc < 0)
			err_set(err, 0, "the digest is not available");
		else
			str_put(out, final.data, final.len);
	}
	str_fini(&first.salt);
	str_fini(&auth_message);
	str_fini(&final);
	return rc;
}

static int check_server_final(struct sasl_client *c, struct slice challenge, struct err *err)
{
	struct slice rest = challenge, value;

	if (scram_take(&rest, 'e', &value))
		return err_set(err, 0, "SCRAM: the server says %.*s",
		    (int)MIN(value.len, (size_t)100), value.data);
	if (!scram_take(&rest, 'v', &value) || value.len != c->server_signature.len ||
	    !digest_equal(value.data, c->server_signature.data, value.len))
		return err_set(err, 0, "SCRAM: the server does not know the password either");
	c->complete = true;
	return 0;
}

int scram_client_step(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err)
{
	switch (c->step) {
	case 0:
		return answer_server_first(c, challenge, out, err);
	case 1:
		return check_server_final(c, challenge, err);
	default:
		return err_set(err, 0, "SCRAM: one challenge too many");
	}
}
