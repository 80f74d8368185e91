/* SPDX-License-Identifier: ISC */
#ifndef SMTP_TRANSACTION_H
#define SMTP_TRANSACTION_H

#include "smtp/delivery.h"
#include "smtp/requiretls.h"

/* One mail transaction on its way; shared by transaction.c and verdict.c only. */
struct transaction {
	struct delivery *d;
	struct session *s;
	const struct deliver_request *request;
	struct trouble *lost;
	size_t next;            /* recipient whose RCPT is the next to be sent */
	size_t sent;            /* RCPTs sent */
	size_t domains;         /* of different domains, as far as RCPTDOMAINMAX wants to know */
	const char *domain;     /* of the last */
	bool full;              /* the server takes no more recipients in this one: RFC 9422 */
	const char *sender;     /* as it is said: smtp_generic_maps */
	const char **addresses; /* likewise, of each recipient; NULL: those of the request */
	int xforwards;          /* answers to XFORWARD that are to be read */
	enum requiretls requiretls;
	struct content_plan plan;
	bool mail_read, mail_ok, data_sent;
};

/* ---- prepare.c: what is known before a word is said ------------------------------------------ */

/* Fills sender, addresses and plan. false: nobody is left, for reasons that are settled. */
bool transaction_prepare(struct transaction *t);
static inline const char *transaction_address(const struct transaction *t, size_t i)
{
	return t->addresses ? t->addresses[i] : t->d->job->rcpts[i].address;
}

/* ---- xforward.c ----------------------------------------------------------------------------- */

/*
 * Tells the server where the mail came from, when it and smtp_send_xforward_command want that.
 * With PIPELINING the answers are to be read later: t->xforwards. false: *lost is set.
 */
bool xforward_say(struct transaction *t);
bool xforward_read(struct transaction *t);

/* ---- verdict.c: what the server says of it -------------------------------------------------- */

/*
 * A reply to a command before the end of the message. false: *lost is set, the session is dead.
 */
bool transaction_await(
    struct transaction *t, int timeout_s, const char *doing, const char *command);

/* The answer to DATA; *go_out: the content is to follow. false: *lost is set. */
bool transaction_read_data(struct transaction *t, bool *go_out);

/* The content, and what becomes of it. false: *lost is set, and nothing has been taken. */
bool transaction_send_content(struct transaction *t, bool last_use);

#endif
