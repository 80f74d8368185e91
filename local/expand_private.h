/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_EXPAND_PRIVATE_H
#define LOCAL_EXPAND_PRIVATE_H

#include "local/expand.h"

/*
 * Between expand.c (a recipient of this host: alias, .forward file, mailbox), expand_list.c (the
 * members of a list) and expansion.c (what an expansion has found so far).
 */

/* A user may write what he likes into his files: neither stack nor memory is his to fill. */
enum {
	EXPAND_DEPTH_MAX = 100,
	EXPAND_TARGETS_MAX = 200000,
	EXPAND_BYTES_MAX = 1 << 24,
	EXPAND_LISTS_MAX = 1000,
	EXPAND_KEY_MAX = 2048
};

/* Where the list that is being read comes from. */
struct list_context {
	const char *source;              /* "alias", "forward", "include" */
	const struct local_user *rights; /* of its commands and files; NULL: default_privs */
	size_t size;                     /* targets in it */
};

/* ---- expand.c ------------------------------------------------------------------------------ */

/* Expands the recipient of this host that x->d looks at. plain: neither aliases nor .forward. */
void expand_local(struct expansion *x, bool plain);

/* ---- expand_list.c ------------------------------------------------------------------------- */

/* Adds what the text of an alias, a .forward file or an :include: list names. */
void expand_list(struct expansion *x, struct slice text, struct list_context *context);

/* ---- expansion.c --------------------------------------------------------------------------- */

/* Of several failures the one that may pass by itself is kept. */
void expansion_fail(struct expansion *x, const struct verdict *v);
void expansion_fail_with(struct expansion *x, enum outcome outcome, const char *dsn,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* kind: "alias", "forward", "address", "file", ...; letter case counts for files and commands. */
bool expansion_has_seen(const struct expansion *x, const char *kind, const char *text);
bool expansion_see(
    struct expansion *x, const char *kind, const char *text); /* false: seen before */
/*
 * Has this target been taken before? What is beyond duplicate_filter_limit is not remembered.
 */
bool expansion_is_duplicate(struct expansion *x, const char *kind, const char *text);
struct target *expansion_add(struct expansion *x, enum target_kind kind, const char *text);

#endif
