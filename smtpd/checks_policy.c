/* SPDX-License-Identifier: ISC */
/*
 * check_policy_service: a program of the administrator's is told all that is known of a request,
 * and answers with an access(5) action. When it fails the default action counts; it can never
 * permit by failing.
 */
#include "smtpd/restrict.h"

#include <stdio.h>

#include "lib/base/log.h"
#include "lib/smtp/command.h"
#include "smtpd/policy.h"
#include "smtpd/tls.h"

static void put_xtext(struct str *out, const char *name, const char *text)
{
	str_printf(out, "%s=", name);
	smtp_xtext_encode(out, text);
	str_put_char(out, '\n');
}

static void put(struct str *out, const char *name, const char *value)
{
	size_t from;

	str_printf(out, "%s=", name);
	from = out->len;
	str_put_text(out, value ? value : "");
	for (size_t i = from; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = '?';
	str_put_char(out, '\n');
}

static void put_client(struct str *out, const struct session *s)
{
	struct net_addr own;
	char address[64] = "", port[12] = "";

	if (net_addr_from_fd(&own, s->stream.fd, false) && own.sa.ss_family != AF_UNIX) {
		net_addr_text(&own, address, sizeof(address));
		snprintf(port, sizeof(port), "%u", net_addr_port(&own));
	}
	put(out, "client_address", s->peer.addr);
	put(out, "client_name", s->peer.name);
	put(out, "client_port", s->peer.port);
	put(out, "reverse_client_name", s->peer.reverse_name);
	put(out, "server_address", address);
	put(out, "server_port", port);
	put(out, "helo_name", s->helo);
}

static uint64_t size_of(const struct session *s)
{
	return s->tx.shaper ? shape_size(s->tx.shaper) : s->tx.size;
}

static void put_request(struct str *out, struct check *check, const struct policy *p)
{
	struct session *s = check->s;
	const struct access *a = s->srv->access;
	const struct transaction *tx = &s->tx;
	const bool whole = check->stage == ACCESS_DATA || check->stage == ACCESS_END_OF_DATA;

	put(out, "request", "smtpd_access_policy");
	put(out, "protocol_state", s->where);
	put(out, "protocol_name", s->protocol);
	put_client(out, s);
	put(out, "sender", tx->sender.given);
	put(out, "recipient", tx->has_rcpt ? tx->rcpt.given : "");
	str_printf(out, "recipient_count=%zu\n", whole ? tx->rcpt_count : 0);
	put(out, "queue_id", tx->id);
	put(out, "instance", tx->instance);
	str_printf(out, "size=%llu\n", (unsigned long long)size_of(s));
	put(out, "etrn_domain", s->etrn_domain);
	put(out, "stress", s->params == &s->srv->stress ? "yes" : "");
	put(out, "sasl_method", session_sasl_method(s));
	put(out, "sasl_username", session_login(s));
	put(out, "sasl_sender", session_sasl_sender(s));
	put_xtext(out, "ccert_subject", session_tls_ccert_subject(s));
	put_xtext(out, "ccert_issuer", session_tls_ccert_issuer(s));
	put(out, "ccert_fingerprint", session_tls_ccert_fingerprint(s));
	put(out, "ccert_pubkey_fingerprint", session_tls_ccert_key_fingerprint(s));
	put(out, "encryption_protocol", session_tls_protocol(s));
	put(out, "encryption_cipher", session_tls_cipher(s));
	str_printf(out, "encryption_keysize=%d\n", session_tls_keysize(s));
	put(out, "policy_context", p->settings.policy_context);
	put(out, "compatibility_level", a->compatibility_level);
	put(out, "mail_version", a->mail_version);
	str_put_char(out, '\n');
}

enum verdict check_policy_service(struct check *check)
{
	struct str request = {0}, action = {0};
	struct err err = {0};
	struct policy *p = policy_get(check->s->srv, check->arg, &err);
	enum verdict verdict;

	if (!p) {
		log_warn("restriction %s must be followed by transport:server: %s",
		    check->kind->name, err.text);
		return check_misconfigured(check);
	}
	put_request(&request, check, p);
	if (!policy_ask(p, check->s->srv->service, &request, &action)) {
		str_clear(&action);
		str_put_text(&action, p->settings.default_action);
	}
	verdict = action_run(check, p->endpoint, str_text(&action), "policy query");
	str_fini(&request);
	str_fini(&action);
	return verdict;
}
