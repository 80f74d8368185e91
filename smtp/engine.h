/* SPDX-License-Identifier: ISC */
#ifndef SMTP_ENGINE_H
#define SMTP_ENGINE_H

#include "lib/peer/tlsproxy.h"
#include "lib/secure/resume.h"
#include "lib/tls/session.h"
#include "smtp/smtp.h"
#include "smtp/tls_params.h"

/* What the TLS of this process shares: keys and certificates, policy tables, sessions to resume. */
struct requiretls_policy;

struct engine {
	const struct smtp_tls_params *params;
	const struct secure_params *secure;
	bool lmtp;
	bool in_use;          /* some destination may use TLS */
	enum tls_level level; /* of the parameters */
	struct table_chain *policy_maps, *per_site;
	struct requiretls_policy *requiretls;
	struct tls_context *context; /* NULL: not made yet, or it cannot be made */
	bool tried;
	const char *cipherlist; /* of the context: that of the default level */
	struct secure_resume *resume;
	struct tlsproxy_client *proxy; /* NULL: TLS is always our own */
	struct arena arena;
};

/*
 * Before privileges are dropped: tables are opened, keys and certificates read, when any
 * destination may use TLS. What does not work is logged; level may does without then.
 */
struct engine *engine_open(const struct smtp_tls_params *params, const struct secure_params *secure,
    const struct core_params *core, bool lmtp);
/* With -C: can keys, certificates and policy be used where main.cf makes TLS mandatory? */
void engine_check(const struct smtp_tls_params *params, const struct secure_params *secure,
    bool lmtp, struct conf_report *report);
void engine_close(struct engine **engine); /* NULL allowed */

/* NULL: TLS is not available. Made at the first call when engine_open saw no use for it. */
struct tls_context *engine_context(struct engine *engine);

#endif
