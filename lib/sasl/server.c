/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/sasl/private.h"

/* PLAIN (RFC 4616), LOGIN, OAUTHBEARER (RFC 7628), XOAUTH2. */

static bool offered(const struct sasl_mechanism *m, const struct sasl_backend *b)
{
	switch (m->kind) {
	case SASL_PLAIN:
	case SASL_LOGIN:
		return b->password;
	case SASL_SCRAM_SHA_256:
	case SASL_SCRAM_SHA_1:
		return b->verifier;
	case SASL_OAUTHBEARER:
	case SASL_XOAUTH2:
		return b->token;
	default:
		return false;
	}
}

struct sasl_server *sasl_server_new(
    const struct sasl_mechanism *mechanism, const struct sasl_backend *backend)
{
	struct sasl_server *s;

	if (!mechanism->server || !offered(mechanism, backend))
		return NULL;
	s = alloc_zero(1, sizeof(*s));
	s->mechanism = mechanism;
	s->backend = backend;
	return s;
}

void sasl_server_free(struct sasl_server **server)
{
	struct sasl_server *s = *server;

	if (!s)
		return;
	digest_wipe(&s->verifier, sizeof(s->verifier));
	str_fini(&s->user);
	str_fini(&s->gs2);
	str_fini(&s->first);
	str_fini(&s->server_first);
	str_fini(&s->nonce);
	free(s);
	*server = NULL;
}

void sasl_server_set_nonce(struct sasl_server *s, const char *nonce)
{
	s->test_nonce = nonce;
}

const char *sasl_server_user(const struct sasl_server *s)
{
	return str_text(&s->user);
}

/* A login name goes to log lines, tables and headers. */
static bool set_user(struct sasl_server *s, struct slice name)
{
	if (name.len < 1 || name.len > SASL_USER_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < 32 || name.data[i] == 127)
			return false;
	str_clear(&s->user);
	str_put(&s->user, name.data, name.len);
	return true;
}

static enum sasl_verdict verdict_of(enum sasl_answer answer)
{
	return answer == SASL_YES ? SASL_ACCEPTED : answer == SASL_NO ? SASL_REFUSED : SASL_LATER;
}

static enum sasl_verdict check_password(struct sasl_server *s, struct slice secret)
{
	const struct sasl_backend *b = s->backend;
	enum sasl_answer answer;
	char *password;

	if (secret.len < 1 || secret.len > SASL_SECRET_MAX || slice_has(secret, '\0'))
		return SASL_MALFORMED;
	password = alloc_strndup(secret.data, secret.len);
	answer = b->password(b->arg, str_text(&s->user), password);
	digest_wipe(password, secret.len);
	free(password);
	return verdict_of(answer);
}

/* Takes what stands before the next zero byte. */
static bool take_field(struct slice *rest, struct slice *out)
{
	const char *nul = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;

	if (!nul)
		return false;
	*out = slice_of(rest->data, (size_t)(nul - rest->data));
	*rest = slice_of(nul + 1, rest->len - out->len - 1);
	return true;
}

static enum sasl_verdict step_plain(struct sasl_server *s, struct slice in)
{
	struct slice authzid, user, rest = in;

	if (!in.data)
		return s->step == 0 ? SASL_CONTINUE : SASL_MALFORMED;
	if (!take_field(&rest, &authzid) || !take_field(&rest, &user) || !set_user(s, user))
		return SASL_MALFORMED;
	/* nobody acts in another's name */
	if (authzid.len && !slice_eq(authzid, str_text(&s->user)))
		return SASL_REFUSED;
	return check_password(s, rest);
}

static enum sasl_verdict step_login(struct sasl_server *s, struct slice in, struct str *out)
{
	if (!in.data && s->step == 0) {
		str_put_text(out, "Username:");
		return SASL_CONTINUE;
	}
	if (s->user.len)
		return check_password(s, in);
	if (!set_user(s, in))
		return SASL_MALFORMED;
	str_put_text(out, "Password:");
	return SASL_CONTINUE;
}

/* ---- tokens --------------------------------------------------------------------------------- */

/* "name=value" up to the next \1. */
static bool take_pair(struct slice *rest, struct slice *name_out, struct slice *value_out)
{
	const char *end = rest->len ? memchr(rest->data, '\1', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : 0;
	const char *eq = len ? memchr(rest->data, '=', len) : NULL;

	if (!eq)
		return false;
	*name_out = slice_of(rest->data, (size_t)(eq - rest->data));
	*value_out = slice_of(eq + 1, len - name_out->len - 1);
	*rest = slice_of(end + 1, rest->len - len - 1);
	return true;
}

/* The pairs of both mechanisms; an empty one ends them. */
static bool parse_pairs(struct sasl_server *s, struct slice rest, struct slice *token_out)
{
	static const char scheme[] = "bearer ";
	struct slice name, value;

	*token_out = slice_of(NULL, 0);
	while (take_pair(&rest, &name, &value)) {
		if (slice_eq(name, "user") && !set_user(s, value))
			return false;
		if (!slice_eq(name, "auth"))
			continue;
		if (value.len < sizeof(scheme) ||
		    !slice_eq_nocase(slice_of(value.data, sizeof(scheme) - 1), scheme))
			return false;
		*token_out =
		    slice_of(value.data + sizeof(scheme) - 1, value.len - (sizeof(scheme) - 1));
	}
	return rest.len == 1 && rest.data[0] == '\1' && token_out->len &&
	       token_out->len <= SASL_SECRET_MAX;
}

/* "n,a=user," before the pairs of OAUTHBEARER; the name may be missing. */
static bool take_gs2(struct sasl_server *s, struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->data, '\1', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : 0;
	struct slice gs2, name;
	struct str user = {0};
	bool good;

	if (len < 3 || (rest->data[0] != 'n' && rest->data[0] != 'y') || rest->data[1] != ',')
		return false;
	gs2 = slice_of(rest->data + 2, len - 2);
	*rest = slice_of(end + 1, rest->len - len - 1);
	if (gs2.len == 1 && gs2.data[0] == ',')
		return true;
	if (gs2.data[gs2.len - 1] != ',' || !scram_take(&gs2, 'a', &name) || gs2.len)
		return false;
	good = scram_name_decode(name, &user) && set_user(s, slice_of(str_text(&user), user.len));
	str_fini(&user);
	return good;
}

static enum sasl_verdict step_bearer(struct sasl_server *s, struct slice in, struct str *out)
{
	const struct sasl_backend *b = s->backend;
	bool oauthbearer = s->mechanism->kind == SASL_OAUTHBEARER;
	struct str owner = {.max = SASL_USER_MAX + 1};
	enum sasl_answer answer;
	struct slice token;
	char *text;

	if (s->failed)
		return SASL_REFUSED;
	if (!in.data)
		return s->step == 0 ? SASL_CONTINUE : SASL_MALFORMED;
	if ((oauthbearer && !take_gs2(s, &in)) || !parse_pairs(s, in, &token) ||
	    slice_has(token, '\0') || (!oauthbearer && !s->user.len))
		return SASL_MALFORMED;
	text = alloc_strndup(token.data, token.len);
	answer = b->token(b->arg, str_text(&s->user), text, &owner);
	digest_wipe(text, token.len);
	free(text);
	if (answer == SASL_YES && !set_user(s, slice_of(str_text(&owner), owner.len)))
		answer = SASL_NO;
	str_fini(&owner);
	if (answer != SASL_NO)
		return verdict_of(answer);
	s->failed = true;
	str_put_text(out, oauthbearer
	                      ? "{\"status\":\"invalid_token\"}"
	                      : "{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"mail\"}");
	return SASL_CONTINUE;
}

enum sasl_verdict sasl_server_step(struct sasl_server *s, struct slice in, struct str *out)
{
	enum sasl_verdict verdict;

	if (s->over)
		return SASL_REFUSED;
	switch (s->mechanism->kind) {
	case SASL_PLAIN:
		verdict = step_plain(s, in);
		break;
	case SASL_LOGIN:
		verdict = step_login(s, in, out);
		break;
	case SASL_OAUTHBEARER:
	case SASL_XOAUTH2:
		verdict = step_bearer(s, in, out);
		break;
	default:
		verdict = scram_server_step(s, in, out);
	}
	s->step++;
	s->over = verdict != SASL_CONTINUE;
	return verdict;
}
