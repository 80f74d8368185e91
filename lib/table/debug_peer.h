/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_DEBUG_PEER_H
#define LIB_TABLE_DEBUG_PEER_H

#include <stdbool.h>

#include "lib/conf/conf.h"
#include "lib/table/table.h"

/*
 * debug_peer_list and debug_peer_level: a more talkative log while this process deals with one of
 * some peers. All functions but open take NULL, which is what open gives for an empty list.
 */
struct debug_peer_params {
	const char *list;
	int level;
	struct conf_list parents; /* parent_domain_matches_subdomains */
};
extern const struct conf_table debug_peer_params;

struct debug_peer;
struct debug_peer *debug_peer_open(const struct debug_peer_params *params);
void debug_peer_close(struct debug_peer **d);
enum table_age debug_peer_age(struct debug_peer *d);

/*
 * From here the process deals with this peer: its name and its address in text, either of which may
 * be NULL. The log is raised when they match, and as it was when they do not. Answers whether.
 */
bool debug_peer_begin(struct debug_peer *d, const char *name, const char *address);
/* With no peer. */
void debug_peer_end(struct debug_peer *d);

#endif
