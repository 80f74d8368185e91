/* SPDX-License-Identifier: ISC */
#ifndef QMGR_BACKOFF_H
#define QMGR_BACKOFF_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/peer/status.h"

/*
 * Answers of other servers that mean "not so fast", as an operator's table names them, and what is
 * done then: nothing is sent to the whole destination, or to all that its mail provider serves,
 * for a while, and then with less concurrency. Pure.
 *
 *   backoff = time *( blank option )            time: 90s 5m 1h ...
 *   option  = "concurrency=" number | "scope=destination" | "scope=mx"
 */
enum { BACKOFF_MAX_S = 86400, PROVIDER_MAX = 256 };
enum backoff_scope { BACKOFF_DESTINATION, BACKOFF_MX };

struct backoff {
	int64_t ms;
	int concurrency; /* parallel deliveries to begin with afterwards */
	int scope;       /* enum backoff_scope */
};

/* -1 with err saying what was expected. */
int backoff_parse(const char *text, struct backoff *out, struct err *err);

/*
 * What the table is asked for: the server's reply from its code on ("421 4.7.0 Too many ..."), or,
 * when there was none (a lost connection), the reason as it is logged. NULL: a success.
 */
const char *backoff_answer(const struct rcpt_result *result);

/*
 * Who runs a mail host: the domain that was registered, by the rule of thumb that this is the last
 * two labels, or three below names such as co.uk. An address is its own provider.
 */
void backoff_provider(const char *host, char out[PROVIDER_MAX]);

#endif
