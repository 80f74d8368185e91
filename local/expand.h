/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_EXPAND_H
#define LOCAL_EXPAND_H

#include "local/alias.h"
#include "local/local.h"

/*
 * A recipient becomes targets by aliases, .forward files and :include: lists. Nothing is delivered
 * here: only when all lookups have succeeded does a delivery begin, so that a table that is down
 * leaves no half of a list delivered.
 *
 * A list of one is followed on the spot (root: joe). Of a list of several, addresses become
 * recipients of a new message (they have their own status there); commands, files and the user's
 * own mailbox are targets here. Each alias and .forward file counts once: who is found in the own
 * expansion gets mail in the mailbox.
 */
enum target_kind { TARGET_MAILBOX, TARGET_COMMAND, TARGET_FILE, TARGET_FORWARD };

struct target {
	enum target_kind kind;
	const char *text;         /* command, file, address */
	struct delivery d;        /* as it stood when the target was found */
	struct local_user user;   /* the mailbox's; else who the rights are of */
	struct recipient forward; /* TARGET_FORWARD */
};

struct expansion {
	struct delivery *d; /* its sender becomes the owner of a list */
	struct target *targets;
	size_t count, cap;
	bool has_owner; /* the sender was replaced: all addresses go into a new message */
	bool failed;    /* nothing may be delivered when failure.outcome is OUTCOME_DEFERRED */
	struct verdict failure;
	struct map *seen;
	int depth, lists; /* of files that are being read; read so far */
	size_t bytes;     /* of all lists */
};

void expansion_init(struct expansion *x, struct delivery *d);
void expansion_fini(struct expansion *x);
/* Expands the recipient that x->d looks at. */
void expansion_run(struct expansion *x);

/* ---- where lists come from (sources.c) ------------------------------------------------------ */

enum source_answer { SOURCE_FOUND, SOURCE_NONE, SOURCE_FAILED };

/* The alias of this name: its value in *out; FAILED fills *v. */
enum source_answer source_alias(struct delivery *d, const char *name, struct str *out,
    const struct local_alias_map **map_out, struct verdict *v);
/* The user's .forward file. *path_out tells which. */
enum source_answer source_forward(struct delivery *d, const struct local_user *user,
    struct str *out, const char **path_out, struct verdict *v);
/* An :include: file, read with `rights` (NULL and root: default_privs). *owner_out: whose it is. */
enum source_answer source_include(struct delivery *d, const char *path,
    const struct local_user *rights, struct str *out, struct local_user *owner_out,
    struct verdict *v);

#endif
