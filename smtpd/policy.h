/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

#include "smtpd/smtpd.h"

/*
 * A policy service: a program of the administrator's, as the argument of check_policy_service names
 * it. checks_policy.c has what it is told and does what it answers; here are its settings and the
 * connection. One that does not answer in time, goes away or talks nonsense is asked anew on a new
 * connection, try_limit times.
 */
struct policy_settings {
	const char *default_action, *policy_context;
	int max_idle, max_ttl, request_limit, retry_delay, timeout, try_limit;
};

struct policy {
	struct arena arena;
	const char *endpoint; /* "inet:127.0.0.1:9998" */
	struct policy_settings settings;
	bool connected;
	struct stream stream;
	int64_t opened_ms, used_ms;
	int requests; /* on this connection */
};

/* -1: nobody could be asked by this text. Opens nothing. */
int policy_check(const char *text, struct err *err);
/*
 * The process's policy service of this text, "inet:host:port" or "{ endpoint, name=value, ... }".
 * Opens nothing; NULL with err: the text names none.
 */
struct policy *policy_get(struct smtpd *srv, const char *text, struct err *err);
void policy_free(void *policy);

/* ---- policy_link.c ------------------------------------------------------------------------- */

/*
 * Sends `request` (lines "name=value" and an empty one) and reads the answer's action into out.
 * Waits for at most try_limit times timeout and retry_delay. false: nobody answered; that is
 * logged.
 */
bool policy_ask(
    struct policy *policy, struct service *service, const struct str *request, struct str *out);
void policy_disconnect(struct policy *policy);

#endif
