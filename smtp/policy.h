/* SPDX-License-Identifier: ISC */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "lib/secure/secure.h"
#include "lib/tls/digest.h"
#include "lib/tls/session.h"
#include "smtp/requiretls.h"
#include "smtp/session.h"
#include "smtp/tls_params.h"

/*
 * How safe a session has to be: from main.cf, smtp_tls_policy_maps (or the obsolete
 * smtp_tls_per_site), what the message asks for, and TLSA records.
 */
struct policy {
	enum tls_level level; /* LEVEL_INVALID: see why */
	struct trouble why;

	const char *protocols, *grade;
	const char *exclude;           /* of the table: in place of main.cf's; NULL: it has none */
	const struct conf_list *match; /* strategies and names, or fingerprints */
	const struct conf_list *anchor_files;
	const char *servername;
	bool reuse;      /* the connection may go to other processes: tlsproxy does its TLS */
	bool requiretls; /* the message must not go on where it is less safe (RFC 8689) */
	bool no_plain;   /* at least TLS of some kind */

	/* of policy_complete */
	const char *cipherlist;
	struct tls_protocols protocol_bounds;
	const char *const *names; /* that the certificate may have; fingerprints likewise */
	size_t name_count;
	const char *sni;     /* "" : none */
	const char *anchors; /* PEM, or "" */
	const struct tls_tlsa *tlsa;
	size_t tlsa_count;
	const char *tlsa_base;
};

struct engine;

/* What tables and parameters say of the destination. Lives in arena. */
void policy_find(const struct smtp_client *client, const struct target *to, struct arena *arena,
    struct policy *out);
/* And what it comes to for to->addr: names, TLSA records. Logs what does not work out. */
void policy_complete(const struct smtp_client *client, const struct target *to, struct arena *arena,
    struct policy *policy);

/* Only from encrypt on is plain text no way out. */
static inline bool policy_is_mandatory(const struct policy *p)
{
	return p->level > LEVEL_MAY;
}
/* Does the certificate count? */
static inline bool policy_is_verified(const struct policy *p)
{
	return p->level > LEVEL_ENCRYPT;
}
const char *policy_level_name(enum tls_level level); /* "dane-only" */
/* -1: no such level. */
enum tls_level policy_level(struct slice name);

/*
 * The value of a policy table: a level and "attribute=value" words. 0, or -1 with err. What it does
 * not say is left as it is in *out. Pure.
 */
int policy_parse(const char *value, struct arena *arena, struct policy *out, struct err *err);

/* What REQUIRETLS of the message is worth on its way to this domain; off when nobody asked. */
enum requiretls policy_requiretls(
    const struct smtp_client *client, const struct deliver_request *request, const char *domain);

/* The domain that a next hop names, without brackets and port, in arena. */
const char *policy_nexthop_domain(const struct target *to, struct arena *arena);

/*
 * tls_keys.c: of a TLS session with this relay, to be resumed: everything that decided whether it
 * was good enough. "" when it cannot be told. After policy_complete.
 */
void policy_resume_key(const struct smtp_client *client, const char *relay,
    const struct policy *policy, char out[2 * DIGEST_LEN_MAX + 1]);

/* dane.c: TLSA records into policy, or what the policy comes to without (RFC 7672). */
void dane_apply(const struct smtp_client *client, const struct target *to, struct arena *arena,
    struct policy *policy);

/* LEVEL_INVALID, and why: the mail waits. */
void policy_set_invalid(struct policy *policy, struct arena *arena, const char *dsn,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
