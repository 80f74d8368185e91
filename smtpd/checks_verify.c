/* SPDX-License-Identifier: ISC */
/* reject_unverified_sender and reject_unverified_recipient: verify(8) is asked, and waited for. */
#include <poll.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/peer/verify.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "smtpd/restrict.h"

enum { ASK_MS = 10000 };

struct unverified {
	int reject_code, defer_code, tempfail;
	const char *reason; /* to say instead of what the probe met */
	const char *dsn;
};

static bool ask(
    struct session *s, const char *address, struct arena *arena, struct verify_answer *out)
{
	struct access *a = s->srv->access;

	if (!a->verify)
		a->verify = verify_client_new(s->params->address_verify_service_name, ASK_MS);
	for (int count = 1;; count++) {
		if (!verify_ask(a->verify, address, arena, out))
			return false;
		if (out->status != VERIFY_TODO || count >= s->params->address_verify_poll_count)
			return true;
		poll(NULL, 0, clock_ms_of(s->params->address_verify_poll_delay));
		if (s->srv->service)
			service_alive(s->srv->service);
	}
}

static enum verdict unverified(
    struct check *check, const char *given, const char *class_, const struct unverified *u)
{
	struct session *s = check->s;
	struct arena arena = {0};
	struct verify_answer answer;
	enum verdict verdict = VERDICT_DUNNO;
	bool now = u->tempfail == TEMPFAIL_DEFER;
	const char *text;
	int code = 0;

	if (!ask(s, given, &arena, &answer)) {
		log_warn("%s service failure", s->params->address_verify_service_name);
		arena_fini(&arena);
		return check_defer_if_permit(check, now, 450, u->dsn,
		    "<%s>: %s rejected: address verification problem", given, class_);
	}
	if (answer.status == VERIFY_BOUNCE)
		code = u->reject_code;
	else if (answer.status != VERIFY_OK)
		code = u->defer_code;
	text = code >= 400 && *u->reason ? u->reason : answer.text;
	if (code / 100 == 4)
		verdict = check_defer_if_permit(check, now, code, u->dsn,
		    "<%s>: %s rejected: unverified address: %.250s", given, class_, text);
	else if (code >= 500)
		verdict = check_refuse(check, code, u->dsn,
		    "<%s>: %s rejected: undeliverable address: %s", given, class_, text);
	arena_fini(&arena);
	return verdict;
}

enum verdict check_unverified_sender(struct check *check)
{
	const struct smtpd_params *p = check->s->params;
	const struct unverified u = {p->unverified_sender_reject_code,
	    p->unverified_sender_defer_code, p->unverified_sender_tempfail,
	    p->unverified_sender_reject_reason, "4.1.7"};
	const char *sender = check->s->tx.sender.given;

	return sender && *sender ? unverified(check, sender, "Sender address", &u) : VERDICT_DUNNO;
}

enum verdict check_unverified_recipient(struct check *check)
{
	const struct smtpd_params *p = check->s->params;
	const struct unverified u = {p->unverified_recipient_reject_code,
	    p->unverified_recipient_defer_code, p->unverified_recipient_tempfail,
	    p->unverified_recipient_reject_reason, "4.1.1"};

	return check->s->tx.has_rcpt
	           ? unverified(check, check->s->tx.rcpt.given, "Recipient address", &u)
	           : VERDICT_DUNNO;
}
