/* SPDX-License-Identifier: ISC */
/*
 * Requests for delivery: all mail, what --where selects, one message, one site. All but the first
 * are for flush(8).
 */
#include <string.h>
#include <sysexits.h>

#include "commands/postqueue/postqueue.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/peer/flush.h"
#include "lib/peer/note.h"
#include "lib/queue/id.h"

static const char mail_is_down[] = "Cannot flush mail queue - mail system is down";

static void require_flush(const struct postqueue *q)
{
	postqueue_require(
	    "authorized_flush_users", q->params.authorized_flush_users, "flush the mail queue");
}

static enum flush_status ask(
    const struct postqueue *q, uint16_t type, const struct flush_request *request)
{
	enum flush_status status = FLUSH_FAILED;
	struct err err;

	if (flush_ask(q->params.flush_service_name, type, request, q->params.trigger_timeout * 1000,
	        &status, &err) < 0) {
		log_warn("%s", err.text);
		fatal_exit(EX_UNAVAILABLE, "%s", mail_is_down);
	}
	return status;
}

/* ---- what --where selects ---------------------------------------------------------------- */

/* "ID\n" for each, which is taken back when it is not selected after all. */
static void put_id(struct look *look, const struct showq_message *m)
{
	if (strcmp(m->queue_name, "deferred") == 0)
		str_printf(&look->out, "%s\n", m->queue_id);
}

static void no_rcpt(struct look *look UNUSED, const struct showq_rcpt *r UNUSED)
{
}

static void nothing(struct look *look UNUSED)
{
}

static void flush_these(struct look *look)
{
	char *save = NULL;

	for (char *id = strtok_r(look->out.data, "\n", &save); id;
	     id = strtok_r(NULL, "\n", &save)) {
		const struct flush_request request = {.id = id};

		if (ask(look->q, FLUSH_SEND_FILE, &request) != FLUSH_OK)
			log_warn("%s: cannot be flushed", id);
	}
}

static int flush_selected(struct postqueue *q)
{
	struct look look = {.message = put_id,
	    .rcpt = no_rcpt,
	    .message_end = nothing,
	    .end = nothing,
	    .take = flush_these,
	    .q = q};

	return postqueue_list(q, &look);
}

/* ------------------------------------------------------------------------------------------ */

int flush_all(struct postqueue *q, const char *arg UNUSED)
{
	require_flush(q);
	if (q->where)
		return flush_selected(q);
	if (trigger_send("public/qmgr", 'F', q->params.trigger_timeout * 1000) < 0)
		fatal_exit(EX_UNAVAILABLE, "%s", mail_is_down);
	trigger_send("public/pickup", 'W', q->params.trigger_timeout * 1000);
	return 0;
}

int flush_id(struct postqueue *q, const char *id)
{
	const struct flush_request request = {.id = id};

	require_flush(q);
	if (!queue_id_valid(id) || ask(q, FLUSH_SEND_FILE, &request) == FLUSH_BAD)
		fatal_exit(EX_UNAVAILABLE, "Cannot flush queue ID - invalid name: \"%.100s\"", id);
	return 0;
}

int flush_site(struct postqueue *q, const char *site)
{
	const struct flush_request request = {.site = site};
	enum flush_status status = FLUSH_BAD;

	require_flush(q);
	if (strlen(site) <= FLUSH_SITE_MAX && address_domain_valid(site))
		status = ask(q, FLUSH_SEND_SITE, &request);
	if (status == FLUSH_BAD)
		fatal_exit(EX_UNAVAILABLE,
		    "Cannot flush mail queue - invalid destination: \"%.100s%s\"", site,
		    strlen(site) > 100 ? "..." : "");
	if (status == FLUSH_DENIED)
		fatal_exit(
		    EX_UNAVAILABLE, "Flush service is not configured for destination \"%s\"", site);
	if (status == FLUSH_FAILED)
		fatal_exit(EX_SOFTWARE, "Cannot flush mail queue: the mail log says why");
	return 0;
}
