/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_AUTH_H
#define LIB_AUTH_AUTH_H

#include "lib/base/err.h"
#include "lib/sasl/server.h"
#include "lib/table/table.h"

/*
 * Who may log in: one interface to those that know it. Each has a constructor in a header of its
 * own (dovecot.h, users.h). One exchange at a time; calls block, each for a bounded time.
 */
struct auth;

/* Of whom and how, as the other end of an authentication server wants to know it. */
struct auth_request {
	const char *mechanism;
	const char *service;                 /* "smtp" */
	const char *local_addr, *local_port; /* NULL: unknown */
	const char *remote_addr, *remote_port;
	bool secured;         /* TLS is on */
	bool no_penalty;      /* failures of this address do not count against it */
	struct slice initial; /* the initial response; data is NULL when there was none */
};

/* What a step leads to. All-zero before the first; auth_answer_fini. */
struct auth_answer {
	struct str challenge; /* with SASL_CONTINUE */
	struct str reason;    /* otherwise: why not, printable; "" : nobody says */
	struct str user;      /* who it is, or claims to be; "" : not known */
};
void auth_answer_fini(struct auth_answer *answer);

/* A mechanism on offer, and what it is worth (enum sasl_security). */
typedef void auth_mechanism_fn(void *arg, const char *name, unsigned security);

/* Why, where smtpd itself finds the fault: each server has words of its own for it. */
struct auth_words {
	const char *bad_initial, *bad_continued; /* responses that are not base64 */
	const char *no_mechanism;                /* none of that name for this client */
};

struct auth_ops {
	int (*mechanisms)(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err);
	enum sasl_verdict (*begin)(
	    struct auth *auth, const struct auth_request *request, struct auth_answer *out);
	enum sasl_verdict (*step)(
	    struct auth *auth, struct slice response, struct auth_answer *out);
	void (*cancel)(struct auth *auth);
	void (*free)(struct auth *auth);
	struct auth_words words;
	enum table_age (*age)(const struct auth *auth); /* NULL: it has no tables */
};

/*
 * The reason with SASL_LATER when nobody can be asked: fail2ban's filters for Postfix leave clients
 * alone whose login fails with it, because it is not their fault.
 */
extern const char auth_unavailable[];
/* The words of Postfix with Dovecot. */
#define AUTH_WORDS                                               \
	{                                                        \
		"Invalid base64 data in initial response",       \
		    "Invalid base64 data in continued response", \
		    "Invalid authentication mechanism"           \
	}

struct auth { /* the head of what implements it */
	const struct auth_ops *ops;
};

/* Names all mechanisms. -1 with err: nobody can log in now. */
int auth_mechanisms(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err);
/*
 * The first step, and the further ones while the answer is SASL_CONTINUE. SASL_LATER: the server
 * or table failed. Bytes, not base64.
 */
enum sasl_verdict auth_begin(
    struct auth *auth, const struct auth_request *request, struct auth_answer *out);
enum sasl_verdict auth_step(struct auth *auth, struct slice response, struct auth_answer *out);
/* The client gives up in the middle. */
void auth_cancel(struct auth *auth);
void auth_free(struct auth **auth);
const struct auth_words *auth_words(const struct auth *auth);
enum table_age auth_tables_age(const struct auth *auth);

#endif
