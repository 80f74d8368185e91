/* SPDX-License-Identifier: ISC */
/*
 * Which session is good enough for whom, as texts to compare: the key of a destination decides
 * whether an open connection may be used again, the one of a handshake whether a TLS session may be
 * resumed. Whatever the policy can ask for is in them.
 */
#include "smtp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/tls/digest.h"
#include "smtp/engine.h"
#include "smtp/policy.h"

static void put_words(struct str *key, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		str_printf(key, "%s%s", i ? "," : "", words[i]);
	str_put_char(key, '|');
}

/* What the policy says of the destination, whatever the host. */
static void put_site_key(const struct engine *e, const struct policy *p, struct str *key)
{
	str_printf(key, "tls=%s|", policy_level_name(p->level));
	if (p->level <= LEVEL_NONE)
		return;
	/* the parameters count, too: other transports may have other values */
	if (policy_is_mandatory(p))
		str_printf(key, "%s|%s|%s %s|", e->params->mandatory_protocols,
		    e->params->mandatory_ciphers, e->params->exclude_ciphers,
		    e->params->mandatory_exclude_ciphers);
	else
		str_printf(key, "%s|%s|%s|", e->params->protocols, e->params->ciphers,
		    e->params->exclude_ciphers);
	str_printf(key, "%s|%s|%s|%s|", p->protocols ? p->protocols : "", p->grade ? p->grade : "",
	    p->exclude ? p->exclude : "", p->servername);
	if (p->match)
		put_words(key, p->match->items, p->match->count);
	if (policy_is_verified(p) || p->requiretls) {
		/* what a policy without names of its own compares the certificate with */
		const struct smtp_tls_params *own = e->params;

		put_words(
		    key, own->fingerprint_cert_match.items, own->fingerprint_cert_match.count);
		put_words(key, own->verify_cert_match.items, own->verify_cert_match.count);
		put_words(key, own->secure_cert_match.items, own->secure_cert_match.count);
		str_printf(key, "%s|", own->fingerprint_digest);
	}
	put_words(key, p->anchor_files->items, p->anchor_files->count);
	str_put_text(key, e->context ? tls_context_identity(e->context) : "");
	str_put_text(key, p->requiretls ? "|requiretls" : "");
}

void session_tls_key(const struct smtp_client *c, const struct target *to, struct str *key)
{
	struct arena arena = {0};
	struct policy p;

	if (!c->tls)
		return;
	policy_find(c, to, &arena, &p);
	put_site_key(c->tls, &p, key);
	/* names that the certificate was compared with hang on both */
	if (policy_is_verified(&p) && to->addr)
		str_printf(key, "|%s|%s", policy_nexthop_domain(to, &arena), to->addr->host);
	arena_fini(&arena);
}

static char *site_key(const struct smtp_client *c, const struct target *to)
{
	struct target site = *to;
	struct str key = {0};

	site.addr = NULL;
	session_tls_key(c, &site, &key);
	return key.len ? str_steal(&key) : alloc_strdup("");
}

bool session_tls_fits(const struct smtp_client *c, const struct session *s, const struct target *to)
{
	char *wanted;
	bool fits;

	if (!c->tls || (!c->tls->in_use && !s->tls &&
	                   !(to->request->env_flags & (ENV_REQUIRETLS | ENV_TLS_OPTIONAL))))
		return true;
	wanted = site_key(c, to);
	fits = s->tls_key && strcmp(s->tls_key, wanted) == 0;
	free(wanted);
	return fits;
}

void session_tls_note(const struct smtp_client *c, struct session *s, const struct target *to)
{
	if (!c->tls)
		return;
	free(s->tls_key);
	s->tls_key = site_key(c, to);
}

void policy_resume_key(const struct smtp_client *c, const char *relay, const struct policy *p,
    char out[2 * DIGEST_LEN_MAX + 1])
{
	unsigned char digest[DIGEST_LEN_MAX];
	struct str key = {0};

	str_printf(&key, "%s|%d|%s|%s|", relay, c->lmtp, c->params->helo_name,
	    tls_context_identity(c->tls->context));
	put_site_key(c->tls, p, &key);
	str_printf(&key, "|%s|%s|%d|%d|%u|", p->sni, p->cipherlist, p->protocol_bounds.min,
	    p->protocol_bounds.max, p->protocol_bounds.excluded);
	put_words(&key, p->names, p->name_count);
	str_put_text(&key, p->anchors);
	for (size_t i = 0; i < p->tlsa_count; i++) {
		str_printf(
		    &key, "|%u %u %u ", p->tlsa[i].usage, p->tlsa[i].selector, p->tlsa[i].matching);
		str_put(&key, p->tlsa[i].data, p->tlsa[i].len);
	}
	out[0] = '\0';
	if (digest_hash(DIGEST_SHA256, slice_of(key.data, key.len), digest) == 0)
		for (size_t i = 0; i < digest_len(DIGEST_SHA256); i++)
			snprintf(out + 2 * i, 3, "%02x", digest[i]);
	str_fini(&key);
}
