/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/sasl/private.h"

/* PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), OAUTHBEARER (RFC 7628), XOAUTH2. */

enum { DETAIL_MAX = 300 };

/* What stands in a header of HTTP (RFC 6750 2.1); a control character would be a field of its own.
 */
static bool is_token(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text >= 127)
			return false;
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 32 || *text == 127)
			return true;
	return false;
}

int sasl_client_new(const struct sasl_mechanism *m, const struct sasl_identity *who,
    struct sasl_client **out, struct err *err)
{
	struct sasl_client *c;

	*out = NULL;
	if (m->bearer && !is_token(who->secret))
		return err_set(err, 0, "not a token: empty, or with blanks or other than ASCII");
	if (!*who->user || has_control(who->user) || has_control(who->authzid))
		return err_set(err, 0, "login name is empty or has control characters");
	c = alloc_zero(1, sizeof(*c));
	c->mechanism = m;
	c->user = alloc_strdup(who->user);
	c->authzid = alloc_strdup(who->authzid);
	c->secret = alloc_strdup(who->secret);
	c->host = alloc_strdup(who->host);
	c->nonce = who->nonce ? alloc_strdup(who->nonce) : NULL;
	c->port = who->port;
	*out = c;
	return 0;
}

void sasl_client_free(struct sasl_client **client)
{
	struct sasl_client *c = *client;

	if (!c)
		return;
	digest_wipe(c->secret, strlen(c->secret));
	free(c->user);
	free(c->authzid);
	free(c->secret);
	free(c->host);
	free(c->nonce);
	str_fini(&c->detail);
	str_fini(&c->first);
	str_fini(&c->server_signature);
	free(c);
	*client = NULL;
}

static void put_plain(struct sasl_client *c, struct str *out)
{
	str_put_text(out, c->authzid);
	str_put_char(out, '\0');
	str_put_text(out, c->user);
	str_put_char(out, '\0');
	str_put_text(out, c->secret);
}

static void put_oauthbearer(struct sasl_client *c, struct str *out)
{
	str_put_text(out, "n,a=");
	scram_name_encode(out, *c->authzid ? c->authzid : c->user);
	str_put_text(out, ",\1");
	if (*c->host)
		str_printf(out, "host=%s\1", c->host);
	if (c->port)
		str_printf(out, "port=%u\1", c->port);
	str_put_text(out, "auth=Bearer ");
	str_put_text(out, c->secret);
	str_put_text(out, "\1\1");
}

static void put_xoauth2(struct sasl_client *c, struct str *out)
{
	str_put_text(out, "user=");
	str_put_text(out, c->user);
	str_put_text(out, "\1auth=Bearer ");
	str_put_text(out, c->secret);
	str_put_text(out, "\1\1");
}

int sasl_client_first(struct sasl_client *c, struct str *out, struct err *err)
{
	switch (c->mechanism->kind) {
	case SASL_SCRAM_SHA_256:
	case SASL_SCRAM_SHA_1:
		return scram_client_first(c, out, err);
	case SASL_PLAIN:
		put_plain(c, out);
		c->complete = true;
		return 1;
	case SASL_OAUTHBEARER:
		put_oauthbearer(c, out);
		c->complete = true;
		return 1;
	case SASL_XOAUTH2:
		put_xoauth2(c, out);
		c->complete = true;
		return 1;
	default:
		return 0;
	}
}

static int step_login(struct sasl_client *c, struct str *out, struct err *err)
{
	if (c->step > 1)
		return err_set(err, 0, "a third question");
	str_put_text(out, c->step == 0 ? c->user : c->secret);
	c->complete = c->step == 1;
	return 0;
}

static int step_cram(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err)
{
	unsigned char mac[DIGEST_LEN_MAX];

	if (c->step > 0)
		return err_set(err, 0, "a second challenge");
	if (digest_hmac(DIGEST_MD5, slice_text(c->secret), challenge, mac) < 0)
		return err_set(err, 0, "MD5 is not available");
	str_put_text(out, c->user);
	str_put_char(out, ' ');
	for (size_t i = 0; i < digest_len(DIGEST_MD5); i++)
		str_printf(out, "%02x", mac[i]);
	c->complete = true;
	return 0;
}

/* The token was refused: the server says why, and wants a word before it says so in its reply. */
static int step_bearer(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err)
{
	if (c->step > 0)
		return err_set(err, 0, "a second challenge");
	c->complete = false;
	str_put(&c->detail, challenge.data, MIN(challenge.len, (size_t)DETAIL_MAX));
	text_make_printable(c->detail.data, c->detail.len);
	if (c->mechanism->kind == SASL_OAUTHBEARER)
		str_put_char(out, '\1');
	return 0;
}

int sasl_client_step(
    struct sasl_client *c, struct slice challenge, struct str *out, struct err *err)
{
	int rc;

	switch (c->mechanism->kind) {
	case SASL_SCRAM_SHA_256:
	case SASL_SCRAM_SHA_1:
		rc = scram_client_step(c, challenge, out, err);
		break;
	case SASL_LOGIN:
		rc = step_login(c, out, err);
		break;
	case SASL_CRAM_MD5:
		rc = step_cram(c, challenge, out, err);
		break;
	case SASL_PLAIN:
		rc = err_set(err, 0, "a challenge where none can be");
		break;
	default:
		rc = step_bearer(c, challenge, out, err);
	}
	c->step++;
	return rc;
}

bool sasl_client_complete(const struct sasl_client *c)
{
	return c->complete;
}

const char *sasl_client_detail(const struct sasl_client *c)
{
	return str_text(&c->detail);
}
