/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_WHERE_PRIVATE_H
#define LIB_QUEUE_WHERE_PRIVATE_H

#include "lib/base/arena.h"
#include "lib/base/attr.h"
#include "lib/queue/where.h"

/* Between where.c (what an expression means) and where_parse.c (how it is written). */
enum where_field {
	FIELD_QUEUE,
	FIELD_ID,
	FIELD_SENDER,
	FIELD_RECIPIENT,
	FIELD_DOMAIN,
	FIELD_SENDER_DOMAIN,
	FIELD_REASON,
	FIELD_SIZE,
	FIELD_AGE,
	FIELD_RECIPIENTS,
	FIELD_EXPIRED,
};

enum where_kind { NODE_COMPARE, NODE_AND, NODE_OR, NODE_NOT };
/* The other operators are a NODE_NOT around one of these. */
enum where_op { OP_EQUAL, OP_LIKE, OP_LESS, OP_MORE };

struct where_node {
	enum where_kind kind;
	int child, next; /* of and, or, not: indexes of nodes; -1 ends the list */
	enum where_field field;
	enum where_op op;
	const char *text;
	int64_t number;
	void *regex;       /* of pattern_pcre */
	bool held, failed; /* for the message in hand */
};

enum { WHERE_NODES_MAX = 500 };
struct where {
	struct where_node nodes[WHERE_NODES_MAX];
	size_t count;
	int root;
	int64_t rcpts;
	struct arena arena;
};

/* ---- between where_parse.c (grammar) and where_value.c ------------------------------------ */

struct where_parser {
	struct where *where;
	const char *text;
	size_t at;
	int depth;
	struct err *err;
};

enum where_value_kind { VALUE_TEXT, VALUE_QUEUE, VALUE_SIZE, VALUE_TIME, VALUE_COUNT, VALUE_NONE };

/* Says where and why the parsing ends. -1. */
int where_fail(struct where_parser *p, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Makes of n->text, which stands at column `at`, what the comparison needs. 0 or -1. */
int where_set_value(
    struct where_parser *p, size_t at, enum where_value_kind kind, struct where_node *n);

#endif
