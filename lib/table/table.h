/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_TABLE_H
#define LIB_TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Lookup tables: "type:name" opened once, asked often. Types: lmdb (also under the old names hash,
 * btree, dbm), texthash, inline, static, cidr, regexp, pcre, unix (passwd.byname,
 * group.byname), unionmap, pipemap, fail. A table that cannot be read answers TABLE_ERROR at each
 * lookup, and the caller defers (451), never permits.
 */
struct table;

enum table_answer { TABLE_FOUND, TABLE_NOT_FOUND, TABLE_ERROR };

enum {
	TABLE_FOLD_KEY = 1 << 0, /* keys are lower-cased before the lookup (all but regexp, pcre) */
	/* The value decides what is run or where mail goes: no part of the key, which is a
	   stranger's text, gets into it. Rules of regexp and pcre with $number are left out. */
	TABLE_NO_GROUPS = 1 << 1,
};

/* -1 with err: unknown type ("did you mean"), missing file with the postmap command to run, ... */
int table_open(const char *type_and_name, int flags, struct table **table_out, struct err *err);
void table_close(struct table **table);

/* Appends the value to out (cleared first). err only on TABLE_ERROR; may be NULL. */
enum table_answer table_get(struct table *table, const char *key, struct str *out, struct err *err);

const char *table_name(const struct table *table); /* "lmdb:/etc/postfix/x" */
/* Pattern tables (cidr, regexp, pcre) get whole keys only: no partial lookups of an address. */
bool table_is_pattern(const struct table *table);

/*
 * Who has given up the rights to open a table's file cannot follow its changes. TABLE_GUARDED:
 * there is such a file: look again from time to time. TABLE_OUTDATED: it has changed, the old
 * content is still used, and this process should end and let another one open it. What can be
 * opened again is, here and in lookups. Of several tables the worst, which is the largest, counts.
 */
enum table_age { TABLE_FRESH, TABLE_GUARDED, TABLE_OUTDATED };
enum table_age table_age(struct table *table);

/* Walks all entries (postmap -s). 1: an entry, 0: the end, -1: error or a type without a walk. */
int table_next(
    struct table *table, bool first, struct str *key_out, struct str *value_out, struct err *err);

/*
 * For who checks values before they are used: as table_next, and of a pattern table the rules: key
 * is "line N", the value is as it is written, and -1 is a rule that is left out, with err naming
 * line and reason; the walk can go on behind it. 0 at once when the type has neither.
 */
int table_next_rule(
    struct table *table, bool first, struct str *key_out, struct str *value_out, struct err *err);

/*
 * The next element of a list at *cursor, split at commas and blanks outside braces; *cursor moves
 * on. false at the end. Unbalanced braces run to the end of the text.
 */
bool table_list_next(const char **cursor, struct slice *item_out);

/*
 * A list of tables "lmdb:/a, inline:{x=y}" asked in order, the first answer counts. An empty list
 * is valid and finds nothing. A table that cannot be opened stays in the list and answers
 * TABLE_ERROR, so that a typo defers mail instead of losing it; the reason is logged at open.
 */
struct table_chain;
struct table_chain *table_chain_open(const char *list, int flags);
void table_chain_close(struct table_chain **chain);
bool table_chain_empty(const struct table_chain *chain);
enum table_age table_chain_age(struct table_chain *chain); /* NULL: fresh */
enum table_answer table_chain_get(
    struct table_chain *chain, const char *key, struct str *out, struct err *err);
/* The same for a part of what is looked up (a parent domain): pattern tables are left out. */
enum table_answer table_chain_get_part(
    struct table_chain *chain, const char *key, struct str *out, struct err *err);
/*
 * The lookups of an address, most special first: user+ext@domain, user@domain, user+ext (when
 * domain is local), user, @domain. delimiters is recipient_delimiter ("" for none). is_local says
 * whether the bare user forms apply.
 */
enum table_answer table_chain_get_address(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, struct str *out, struct err *err);

/*
 * The addresses that a table of addresses (virtual_alias_maps and the like) has for another,
 * internal form in both places. Looked up as above; fn gets each, and ends the walk by false. A
 * result "@domain" keeps the local part; an extension that was not part of the key found is put to
 * the others when `propagate`. A result without '@' is left so. TABLE_ERROR also when the value
 * begins with no address.
 */
typedef bool table_mapped_fn(void *arg, const char *address);
enum table_answer table_chain_map_addresses(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, bool propagate, table_mapped_fn *fn, void *arg,
    struct err *err);
/* The same for tables with one result for each (generic_maps, canonical_maps): the first counts. */
enum table_answer table_chain_map_address(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, bool propagate, struct str *out, struct err *err);

#endif
