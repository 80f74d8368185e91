/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_ALIAS_H
#define LOCAL_ALIAS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * What an alias, a .forward file or an :include: file says: a list of targets. Pure.
 *
 *	value   = target *( "," target )		one line, or several in a file
 *	target  = address / "\user" / "|command" / "/file" / ":include:/file"
 *
 * A target that holds commas or blanks stands in double quotes, in whole ("|cmd a,b") or behind
 * its first character (|"cmd a,b"). Texts live in the arena.
 */
enum alias_kind { ALIAS_ADDRESS, ALIAS_USER, ALIAS_COMMAND, ALIAS_FILE, ALIAS_INCLUDE };

struct alias_item {
	enum alias_kind kind;
	const char *text; /* without "\", "|", ":include:" */
};

struct alias_list {
	struct alias_item *items; /* in the arena */
	size_t count, cap;
};

/*
 * Appends the targets of `text` to *list. Lines that begin with '#' are comments. -1 with err
 * (naming the malformed target) when one is no target; those before it are in the list.
 */
int alias_list_parse(
    struct slice text, struct arena *arena, struct alias_list *list, struct err *err);

#endif
