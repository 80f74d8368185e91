/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_MATCH_H
#define LIB_TABLE_MATCH_H

#include "lib/base/err.h"
#include "lib/table/table.h"

/*
 * Match lists: mydestination, relay_domains, mynetworks and the like: patterns split at commas and
 * blanks; "!pattern" negates; "/file" is read in place; "type:name" is a table whose keys match.
 * The first pattern that matches decides. Answers TABLE_FOUND, TABLE_NOT_FOUND, or TABLE_ERROR
 * when a table in the list failed before anything matched.
 */
struct match_list;

enum {
	MATCH_SUBDOMAINS =
	    1
	    << 0, /* "example.com" matches sub.example.com too (parent_domain_matches_subdomains) */
	/*
	 * The texts are domains (relay_domains): ".example.com" matches sub.example.com, tables are
	 * asked for parent domains too. Implied by MATCH_SUBDOMAINS and by match_list_host.
	 */
	MATCH_DOMAINS = 1 << 1,
};

/* Errors in single patterns are logged as warnings with the parameter's name; never NULL. */
struct match_list *match_list_open(const char *parameter, const char *patterns, int flags);
void match_list_close(struct match_list **list);
enum table_age match_list_age(struct match_list *list); /* of its tables; NULL: fresh */

/* A domain or other text, case ignored. */
enum table_answer match_list_text(struct match_list *list, const char *text, struct err *err);
/*
 * A client: host name ("unknown" allowed; NULL: by address alone, as mynetworks) and address (NULL:
 * by name alone); patterns may be net/mask, [v6]/len, .domain. A malformed net in the list answers
 * TABLE_ERROR when it is reached, so that a typo defers and never permits.
 */
enum table_answer match_list_host(
    struct match_list *list, const char *name, const char *address, struct err *err);

#endif
