/* SPDX-License-Identifier: ISC */
/* What an expansion has found so far: its targets, who was seen, and the failure that counts. */
#include "local/expand_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/map.h"

void expansion_init(struct expansion *x, struct delivery *d)
{
	memset(x, 0, sizeof(*x));
	x->d = d;
	x->seen = map_new();
}

void expansion_fini(struct expansion *x)
{
	map_free(&x->seen, NULL);
}

void expansion_fail(struct expansion *x, const struct verdict *v)
{
	/* What may pass by itself comes first: nothing is lost by waiting. */
	if (!x->failed ||
	    (v->outcome == OUTCOME_DEFERRED && x->failure.outcome != OUTCOME_DEFERRED))
		x->failure = *v;
	x->failed = true;
}

void expansion_fail_with(
    struct expansion *x, enum outcome outcome, const char *dsn, const char *fmt, ...)
{
	struct verdict v;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict_set(&v, outcome, dsn, "%s", text);
	expansion_fail(x, &v);
}

bool expansion_has_seen(const struct expansion *x, const char *kind, const char *text)
{
	char key[EXPAND_KEY_MAX];

	snprintf(key, sizeof(key), "%s:%s", kind, text);
	text_lower(key);
	return map_get(x->seen, key) != NULL;
}

bool expansion_see(struct expansion *x, const char *kind, const char *text)
{
	char key[EXPAND_KEY_MAX];

	snprintf(key, sizeof(key), "%s:%s", kind, text);
	if (strcmp(kind, "file") && strcmp(kind, "command"))
		text_lower(key);
	return map_put(x->seen, key, x) == NULL;
}

struct target *expansion_add(struct expansion *x, enum target_kind kind, const char *text)
{
	if (x->count == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 4;
		struct target *more = arena_zero(x->d->arena, cap, sizeof(*more));

		if (x->count)
			memcpy(more, x->targets, x->count * sizeof(*more));
		x->targets = more;
		x->cap = cap;
	}
	x->targets[x->count] = (struct target){.kind = kind, .text = text, .d = *x->d};
	return &x->targets[x->count++];
}

bool expansion_is_duplicate(struct expansion *x, const char *kind, const char *text)
{
	int limit = x->d->local->params.duplicate_filter_limit;

	if (limit && map_count(x->seen) >= (size_t)limit)
		return expansion_has_seen(x, kind, text);
	return !expansion_see(x, kind, text);
}
