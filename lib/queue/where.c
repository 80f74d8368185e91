/* SPDX-License-Identifier: ISC */
/* Evaluation: comparisons remember whether they held; the tree is looked at when all is known. */
#include "lib/queue/where.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/str.h"
#include "lib/queue/where_private.h"
#include "lib/table/pattern.h"

static const char *const queue_names[] = {"maildrop", "incoming", "active", "deferred", "hold"};

unsigned where_queue_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(queue_names); i++) {
		if (text_eq_nocase(queue_names[i], name))
			return 1U << i;
	}
	return 0;
}

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : "";
}

/* ".example.com" is every domain below example.com. */
static bool domain_equals(const char *domain, const char *wanted)
{
	return text_eq_nocase(domain, wanted) ||
	       (wanted[0] == '.' && text_ends_nocase(domain, wanted));
}

static bool matches(struct where_node *n, const char *text)
{
	struct pattern_subject subject = {.text = text, .len = strlen(text)};
	struct err err;
	int rc = pattern_pcre.match(n->regex, &subject, false, &err);

	n->failed |= rc < 0;
	return rc == 1;
}

static bool text_holds(struct where_node *n, const char *text)
{
	if (n->op == OP_LIKE)
		return matches(n, text);
	if (n->field == FIELD_DOMAIN || n->field == FIELD_SENDER_DOMAIN)
		return domain_equals(text, n->text);
	return text_eq_nocase(text, n->text);
}

static bool number_holds(const struct where_node *n, int64_t value)
{
	switch (n->op) {
	case OP_LESS:
		return value < n->number;
	case OP_MORE:
		return value > n->number;
	default:
		return value == n->number;
	}
}

static void begin_node(struct where_node *n, const struct where_message *m, int64_t now)
{
	n->held = n->failed = false;
	switch (n->field) {
	case FIELD_QUEUE:
		n->held = text_holds(n, m->queue);
		break;
	case FIELD_ID:
		/* ids are told apart by the case of their letters */
		n->held = n->op == OP_LIKE ? text_holds(n, m->id) : strcmp(m->id, n->text) == 0;
		break;
	case FIELD_SENDER:
		n->held = text_holds(n, m->sender);
		break;
	case FIELD_SENDER_DOMAIN:
		n->held = text_holds(n, domain_of(m->sender));
		break;
	case FIELD_SIZE:
		n->held = number_holds(n, m->size > INT64_MAX ? INT64_MAX : (int64_t)m->size);
		break;
	case FIELD_AGE:
		n->held = number_holds(n, now > m->arrival ? now - m->arrival : 0);
		break;
	case FIELD_EXPIRED:
		n->held = m->expired;
		break;
	default:
		break; /* known with the recipients */
	}
}

void where_begin(struct where *where, const struct where_message *m, int64_t now)
{
	where->rcpts = 0;
	for (size_t i = 0; i < where->count; i++) {
		if (where->nodes[i].kind == NODE_COMPARE)
			begin_node(&where->nodes[i], m, now);
	}
}

void where_rcpt(struct where *where, const char *address, const char *reason)
{
	where->rcpts++;
	for (size_t i = 0; i < where->count; i++) {
		struct where_node *n = &where->nodes[i];

		if (n->kind != NODE_COMPARE || n->held)
			continue;
		if (n->field == FIELD_RECIPIENT)
			n->held = text_holds(n, address);
		else if (n->field == FIELD_DOMAIN)
			n->held = text_holds(n, domain_of(address));
		else if (n->field == FIELD_REASON)
			n->held = text_holds(n, reason);
	}
}

/* Its depth is bounded by the parser. */
static bool evaluate(const struct where *where, int at)
{
	const struct where_node *n = &where->nodes[at];

	switch (n->kind) {
	case NODE_AND:
	case NODE_OR:
		for (int child = n->child; child >= 0; child = where->nodes[child].next) {
			if (evaluate(where, child) == (n->kind == NODE_OR))
				return n->kind == NODE_OR;
		}
		return n->kind == NODE_AND;
	case NODE_NOT:
		return !evaluate(where, n->child);
	default:
		return n->field == FIELD_RECIPIENTS ? number_holds(n, where->rcpts) : n->held;
	}
}

bool where_end(const struct where *where)
{
	/* what could not be compared selects nothing, whatever stands around it */
	for (size_t i = 0; i < where->count; i++) {
		if (where->nodes[i].failed)
			return false;
	}
	return evaluate(where, where->root);
}

/* ---- what need not be read ---------------------------------------------------------------- */

enum { CAN_BE_TRUE = 1, CAN_BE_FALSE = 2, CAN_BE_BOTH = 3 };

static int negated(int can)
{
	return (can & CAN_BE_TRUE ? CAN_BE_FALSE : 0) | (can & CAN_BE_FALSE ? CAN_BE_TRUE : 0);
}

/* What a node can be for a message of this queue, whatever else is true of it. */
static int possible(const struct where *where, int at, const char *queue)
{
	const struct where_node *n = &where->nodes[at];
	struct where_node copy = *n;
	int ends, all, can = 0;

	if (n->kind == NODE_NOT)
		return negated(possible(where, n->child, queue));
	if (n->kind == NODE_COMPARE)
		return n->field != FIELD_QUEUE    ? CAN_BE_BOTH
		       : text_holds(&copy, queue) ? CAN_BE_TRUE
		                                  : CAN_BE_FALSE;
	/* and: false when one can be false, true when all can be; or: the other way round */
	ends = n->kind == NODE_AND ? CAN_BE_FALSE : CAN_BE_TRUE;
	all = n->kind == NODE_AND ? CAN_BE_TRUE : CAN_BE_FALSE;
	can = all;
	for (int child = n->child; child >= 0; child = where->nodes[child].next) {
		int one = possible(where, child, queue);

		if (!(one & all))
			return ends;
		can |= one & ends;
	}
	return can;
}

unsigned where_queues(const struct where *where)
{
	unsigned queues = 0;

	for (size_t i = 0; i < ARRAY_LEN(queue_names); i++) {
		if (possible(where, where->root, queue_names[i]) & CAN_BE_TRUE)
			queues |= 1U << i;
	}
	return queues;
}

bool where_asks_reasons(const struct where *where)
{
	for (size_t i = 0; i < where->count; i++) {
		if (where->nodes[i].kind == NODE_COMPARE && where->nodes[i].field == FIELD_REASON)
			return true;
	}
	return false;
}

void where_free(struct where **where)
{
	if (!*where)
		return;
	for (size_t i = 0; i < (*where)->count; i++) {
		if ((*where)->nodes[i].regex)
			pattern_pcre.free((*where)->nodes[i].regex);
	}
	arena_fini(&(*where)->arena);
	free(*where);
	*where = NULL;
}
