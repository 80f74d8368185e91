/* SPDX-License-Identifier: ISC */
#include "lib/sasl/scram.h"

#include <string.h>
#include <sys/random.h>

#include "lib/base/base64.h"
#include "lib/base/num.h"

static struct slice raw(const unsigned char *data, size_t len)
{
	return slice_of((const char *)data, len);
}

/* RFC 5802 section 3: SaltedPassword, ClientKey, StoredKey, ServerKey. */
int scram_derive(enum digest_kind kind, struct slice password, struct slice salt, int iterations,
    struct scram_keys *out)
{
	size_t len = digest_len(kind);
	unsigned char salted[DIGEST_LEN_MAX];
	int rc = -1;

	if (iterations < 1 || iterations > SCRAM_ITERATIONS_MAX)
		return -1;
	if (digest_pbkdf2(kind, password, salt, iterations, salted) == 0 &&
	    digest_hmac(kind, raw(salted, len), slice_text("Client Key"), out->client_key) == 0 &&
	    digest_hmac(kind, raw(salted, len), slice_text("Server Key"), out->server_key) == 0)
		rc = digest_hash(kind, raw(out->client_key, len), out->stored_key);
	digest_wipe(salted, sizeof(salted));
	return rc;
}

/* ---- verifiers ----------------------------------------------------------------------------- */

static const struct {
	const char *prefix;
	enum digest_kind kind;
} schemes[] = {{"SCRAM-SHA-256$", DIGEST_SHA256}, {"SCRAM-SHA-1$", DIGEST_SHA1}};

/* What stands before the next c, or everything when c is 0. */
static bool part(struct slice *rest, char c, struct slice *out)
{
	const char *at = c && rest->len ? memchr(rest->data, c, rest->len) : NULL;

	if (c && !at)
		return false;
	*out = slice_of(rest->data, at ? (size_t)(at - rest->data) : rest->len);
	*rest = slice_of(rest->data + out->len + (at != NULL), rest->len - out->len - (at != NULL));
	return true;
}

static bool decode_bytes(
    struct slice text, size_t min, size_t max, unsigned char *out, size_t *len_out)
{
	struct str bytes = {.max = max + 1};
	bool good = text.len <= max * 2 + 4 && base64_decode(&bytes, text.data, text.len) == 0 &&
	            bytes.len >= min && bytes.len <= max;

	if (good) {
		memcpy(out, bytes.data, bytes.len);
		*len_out = bytes.len;
	}
	str_fini(&bytes);
	return good;
}

int scram_verifier_parse(struct slice text, struct scram_verifier *out, struct err *err)
{
	struct slice rest, iterations, salt, stored, server;
	uint64_t count;
	size_t n, len;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		n = strlen(schemes[i].prefix);
		if (text.len < n || memcmp(text.data, schemes[i].prefix, n) != 0)
			continue;
		out->kind = schemes[i].kind;
		len = digest_len(out->kind);
		rest = slice_of(text.data + n, text.len - n);
		if (!part(&rest, ':', &iterations) || !part(&rest, '$', &salt) ||
		    !part(&rest, ':', &stored) || !part(&rest, 0, &server) ||
		    !num_u64(iterations.data, iterations.len, SCRAM_ITERATIONS_MAX, &count) ||
		    count < 1 ||
		    !decode_bytes(salt, 1, SCRAM_SALT_MAX, out->salt, &out->salt_len) ||
		    !decode_bytes(stored, len, len, out->stored_key, &n) ||
		    !decode_bytes(server, len, len, out->server_key, &n))
			break;
		out->iterations = (int)count;
		return 0;
	}
	return err_set(err, 0, "expected SCRAM-SHA-256$iterations:salt$stored-key:server-key");
}

void scram_verifier_print(struct str *out, const struct scram_verifier *v)
{
	str_put_text(out, v->kind == DIGEST_SHA256 ? schemes[0].prefix : schemes[1].prefix);
	str_printf(out, "%d:", v->iterations);
	base64_encode(out, v->salt, v->salt_len);
	str_put_char(out, '$');
	base64_encode(out, v->stored_key, digest_len(v->kind));
	str_put_char(out, ':');
	base64_encode(out, v->server_key, digest_len(v->kind));
}

int scram_verifier_make(enum digest_kind kind, struct slice password, struct slice salt,
    int iterations, struct scram_verifier *out)
{
	struct scram_keys keys;

	memset(out, 0, sizeof(*out));
	if (salt.len < 1 || salt.len > SCRAM_SALT_MAX ||
	    scram_derive(kind, password, salt, iterations, &keys) < 0)
		return -1;
	out->kind = kind;
	out->iterations = iterations;
	memcpy(out->salt, salt.data, salt.len);
	out->salt_len = salt.len;
	memcpy(out->stored_key, keys.stored_key, digest_len(kind));
	memcpy(out->server_key, keys.server_key, digest_len(kind));
	digest_wipe(&keys, sizeof(keys));
	return 0;
}

bool scram_verifier_check(const struct scram_verifier *v, struct slice password)
{
	struct scram_keys keys;
	bool same =
	    scram_derive(v->kind, password, raw(v->salt, v->salt_len), v->iterations, &keys) == 0 &&
	    digest_equal(keys.stored_key, v->stored_key, digest_len(v->kind));

	digest_wipe(&keys, sizeof(keys));
	return same;
}

/* ---- messages ------------------------------------------------------------------------------ */

bool scram_take(struct slice *rest, char name, struct slice *value_out)
{
	const char *comma;
	size_t len;

	if (rest->len < 2 || rest->data[0] != name || rest->data[1] != '=')
		return false;
	comma = memchr(rest->data, ',', rest->len);
	len = comma ? (size_t)(comma - rest->data) : rest->len;
	*value_out = slice_of(rest->data + 2, len - 2);
	len += comma != NULL;
	*rest = slice_of(rest->data + len, rest->len - len);
	return true;
}

bool scram_take_extensions(struct slice *rest)
{
	struct slice value;

	while (rest->len && ((rest->data[0] >= 'a' && rest->data[0] <= 'z') ||
	                        (rest->data[0] >= 'A' && rest->data[0] <= 'Z')))
		if (!scram_take(rest, rest->data[0], &value))
			return false;
	return rest->len == 0;
}

void scram_name_encode(struct str *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '=')
			str_put_text(out, "=3D");
		else if (*name == ',')
			str_put_text(out, "=2C");
		else
			str_put_char(out, *name);
	}
}

bool scram_name_decode(struct slice text, struct str *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '=') {
			str_put_char(out, text.data[i]);
			continue;
		}
		if (text.len - i < 3)
			return false;
		if (memcmp(text.data + i, "=3D", 3) == 0)
			str_put_char(out, '=');
		else if (memcmp(text.data + i, "=2C", 3) == 0)
			str_put_char(out, ',');
		else
			return false;
		i += 2;
	}
	return true;
}

int scram_nonce(struct str *out)
{
	unsigned char bytes[SCRAM_NONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -1;
	base64_encode(out, bytes, sizeof(bytes));
	return 0;
}
