/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_WHERE_H
#define LIB_QUEUE_WHERE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * The language that selects messages of the queue, for postqueue(1) and postsuper(1). Pure: text
 * and messages in, an answer out.
 *
 *   expression = term { ("or" | "||") term }
 *   term       = factor { ("and" | "&&") factor }
 *   factor     = ("not" | "!") factor | "(" expression ")" | comparison
 *   comparison = field operator value | "expired"
 *
 * Text fields (queue id sender recipient domain sender_domain reason) know = != ~ !~ (also == and
 * =~); numbers (size age recipients) know = != < <= > >=. ~ is a Perl-compatible regular
 * expression, unanchored. All comparisons of text ignore the case of ASCII letters. A value ends at
 * white space or at a closing parenthesis that it did not open; in "quotes" or 'quotes' everything
 * is itself, but a backslash before the quote. A comparison with a field of the recipients holds
 * when it does for any of them; != and !~ are the opposites of = and ~, so they hold when it does
 * for none.
 */
enum { WHERE_TEXT_MAX = 8192, WHERE_DEPTH_MAX = 50 };

struct where;
/* NULL with err, whose text begins with "column N: " (from 1, in bytes). */
struct where *where_parse(const char *text, struct err *err);
void where_free(struct where **where);

/* Where messages are; bits of a set. */
enum where_queue {
	WHERE_MAILDROP = 1 << 0,
	WHERE_INCOMING = 1 << 1,
	WHERE_ACTIVE = 1 << 2,
	WHERE_DEFERRED = 1 << 3,
	WHERE_HOLD = 1 << 4,
	WHERE_ALL = (1 << 5) - 1,
};
unsigned where_queue_bit(const char *name); /* 0: there is no such queue */

/* The queues in which a message can be that matches: the others need not be read. */
unsigned where_queues(const struct where *where);
/* Does the answer depend on why recipients wait? (It costs the reading of their log.) */
bool where_asks_reasons(const struct where *where);

/* One message: begin, each recipient that is not done, then the answer. */
struct where_message {
	const char *queue, *id;
	const char *sender; /* "" is the null sender */
	int64_t arrival;    /* seconds since 1970 */
	uint64_t size;
	bool expired;
};
void where_begin(struct where *where, const struct where_message *m, int64_t now);
void where_rcpt(struct where *where, const char *address, const char *reason);
bool where_end(const struct where *where);

#endif
