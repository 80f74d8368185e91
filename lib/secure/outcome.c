/* SPDX-License-Identifier: ISC */
#include "lib/secure/outcome.h"

void secure_outcome(enum tls_start result, struct tls_session *session, const struct err *err,
    int log_level, struct arena *arena, struct tlsproxy_outcome *out)
{
	const struct tls_info *info;
	struct str text = {0};

	*out = (struct tlsproxy_outcome){.result = result};
	if (result != TLS_STARTED) {
		out->text = arena_strdup(arena, err->text);
		return;
	}
	tls_session_describe(session, &text);
	out->matched = tls_session_matched(session);
	out->resumed = tls_session_resumed(session);
	out->status = tls_session_status(session);
	out->description = arena_strdup(arena, str_text(&text));
	out->problem = arena_strdup(arena, tls_session_problem(session));
	str_fini(&text);
	if (log_level < 2) /* fingerprints cost as much as a part of the handshake */
		return;
	info = tls_session_info(session);
	out->peer_cert = info->peer_cert;
	out->peer_cn = arena_strdup(arena, info->peer_cn);
	out->issuer_cn = arena_strdup(arena, info->issuer_cn);
	out->cert_fingerprint = arena_strdup(arena, info->cert_fingerprint);
	out->key_fingerprint = arena_strdup(arena, info->key_fingerprint);
}
