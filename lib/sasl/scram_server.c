/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/base64.h"
#include "lib/sasl/private.h"

/*
 * RFC 5802 section 5. A user who does not exist is asked like one who does, with a salt that stays
 * the same, and is refused at the end.
 */
enum { DECOY_SALT = 16 };

/* "n,," or "y,,", with "a=name" between; "p=" asks for a channel binding that was not offered. */
static bool take_gs2(struct sasl_server *s, struct slice *rest, struct slice *authzid_out)
{
	const char *start = rest->data;

	*authzid_out = slice_of(NULL, 0);
	if (rest->len < 3 || (start[0] != 'n' && start[0] != 'y') || start[1] != ',')
		return false;
	*rest = slice_of(start + 2, rest->len - 2);
	if (rest->data[0] == ',')
		*rest = slice_of(rest->data + 1, rest->len - 1);
	else if (!scram_take(rest, 'a', authzid_out))
		return false;
	str_put(&s->gs2, start, (size_t)(rest->data - start));
	return true;
}

static bool parse_client_first(struct sasl_server *s, struct slice in, bool *other_out)
{
	struct slice rest = in, authzid, name, nonce;
	struct str wanted = {0};
	bool good;

	if (in.len > SCRAM_MESSAGE_MAX || slice_has(in, '\0') || !take_gs2(s, &rest, &authzid))
		return false;
	str_put(&s->first, rest.data, rest.len);
	if (!scram_take(&rest, 'n', &name) || !scram_take(&rest, 'r', &nonce) ||
	    !scram_take_extensions(&rest) || nonce.len < 8)
		return false;
	good = scram_name_decode(name, &s->user) && s->user.len > 0 &&
	       s->user.len <= SASL_USER_MAX && scram_name_decode(authzid, &wanted);
	for (size_t i = 0; good && i < s->user.len; i++)
		good = (unsigned char)s->user.data[i] >= 32 && s->user.data[i] != 127;
	*other_out = wanted.len && strcmp(str_text(&wanted), str_text(&s->user)) != 0;
	str_fini(&wanted);
	str_put(&s->nonce, nonce.data, nonce.len);
	return good;
}

static int make_decoy(struct sasl_server *s)
{
	const struct sasl_backend *b = s->backend;
	unsigned char mac[DIGEST_LEN_MAX];

	s->decoy = true;
	memset(&s->verifier, 0, sizeof(s->verifier));
	s->verifier.kind = sasl_scram_digest(s->mechanism);
	if (digest_hmac(DIGEST_SHA256, b->decoy_key, slice_of(s->user.data, s->user.len), mac) < 0)
		return -1;
	memcpy(s->verifier.salt, mac, DECOY_SALT);
	s->verifier.salt_len = DECOY_SALT;
	s->verifier.iterations = b->decoy_iterations ? b->decoy_iterations : SCRAM_ITERATIONS;
	return 0;
}

static enum sasl_verdict answer_client_first(
    struct sasl_server *s, struct slice in, struct str *out)
{
	enum digest_kind kind = sasl_scram_digest(s->mechanism);
	bool other;

	if (!parse_client_first(s, in, &other))
		return SASL_MALFORMED;
	switch (s->backend->verifier(s->backend->arg, str_text(&s->user), kind, &s->verifier)) {
	case SASL_YES:
		break;
	case SASL_NO:
		if (make_decoy(s) < 0)
			return SASL_LATER;
		break;
	default:
		return SASL_LATER;
	}
	s->decoy = s->decoy || other || s->verifier.kind != kind;
	if (s->test_nonce)
		str_put_text(&s->nonce, s->test_nonce);
	else if (scram_nonce(&s->nonce) < 0)
		return SASL_LATER;
	str_printf(&s->server_first, "r=%s,s=", str_text(&s->nonce));
	base64_encode(&s->server_first, s->verifier.salt, s->verifier.salt_len);
	str_printf(&s->server_first, ",i=%d", s->verifier.iterations);
	str_put(out, s->server_first.data, s->server_first.len);
	return SASL_CONTINUE;
}

struct client_final {
	struct slice without_proof;
	unsigned char proof[DIGEST_LEN_MAX];
};

/* "c=base64 of the gs2 header,r=nonce,p=proof"; extensions may stand before p. */
static bool parse_client_final(
    const struct sasl_server *s, struct slice in, size_t len, struct client_final *out)
{
	struct slice rest = in, binding, nonce, value;
	struct str bytes = {0};
	bool good = false;

	if (!in.len || in.len > SCRAM_MESSAGE_MAX || slice_has(in, '\0') ||
	    !scram_take(&rest, 'c', &binding) || !scram_take(&rest, 'r', &nonce))
		return false;
	while (rest.len > 1 && rest.data[0] != 'p')
		if (!scram_take(&rest, rest.data[0], &value))
			return false;
	if (rest.data <= in.data || rest.len < 2 || !slice_eq(nonce, str_text(&s->nonce)))
		return false;
	out->without_proof = slice_of(in.data, (size_t)(rest.data - in.data) - 1);
	if (!scram_take(&rest, 'p', &value) || rest.len)
		return false;
	if (base64_decode(&bytes, binding.data, binding.len) == 0 && bytes.len == s->gs2.len &&
	    memcmp(bytes.data, s->gs2.data, bytes.len) == 0) {
		str_clear(&bytes);
		good = base64_decode(&bytes, value.data, value.len) == 0 && bytes.len == len;
		if (good)
			memcpy(out->proof, bytes.data, len);
	}
	str_fini(&bytes);
	return good;
}

static enum sasl_verdict answer_client_final(
    struct sasl_server *s, struct slice in, struct str *out)
{
	enum digest_kind kind = sasl_scram_digest(s->mechanism);
	const struct scram_verifier *v = &s->verifier;
	size_t len = digest_len(kind);
	unsigned char key[DIGEST_LEN_MAX], mac[DIGEST_LEN_MAX];
	struct client_final final;
	struct str message = {0};
	struct slice text;
	int rc;

	if (!parse_client_final(s, in, len, &final))
		return SASL_MALFORMED;
	str_printf(&message, "%s,%s,", str_text(&s->first), str_text(&s->server_first));
	str_put(&message, final.without_proof.data, final.without_proof.len);
	text = slice_of(message.data, message.len);
	rc = digest_hmac(kind, slice_of((const char *)v->stored_key, len), text, mac);
	for (size_t i = 0; i < len; i++)
		key[i] = mac[i] ^ final.proof[i];
	if (rc == 0)
		rc = digest_hash(kind, slice_of((char *)key, len), mac);
	digest_wipe(key, sizeof(key));
	if (rc == 0 && (!digest_equal(mac, v->stored_key, len) || s->decoy))
		rc = 1;
	if (rc == 0)
		rc = digest_hmac(kind, slice_of((const char *)v->server_key, len), text, mac);
	str_fini(&message);
	if (rc != 0)
		return rc < 0 ? SASL_LATER : SASL_REFUSED;
	str_put_text(out, "v=");
	base64_encode(out, mac, len);
	return SASL_CONTINUE;
}

enum sasl_verdict scram_server_step(struct sasl_server *s, struct slice in, struct str *out)
{
	if (!in.data)
		return s->step == 0 ? SASL_CONTINUE : SASL_MALFORMED;
	if (!s->first.len)
		return answer_client_first(s, in, out);
	if (!s->proved) {
		s->proved = true; /* or else there is a verdict at once */
		return answer_client_final(s, in, out);
	}
	return in.len == 0 ? SASL_ACCEPTED : SASL_MALFORMED;
}
