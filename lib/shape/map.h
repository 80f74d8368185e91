/* SPDX-License-Identifier: ISC */
#ifndef LIB_SHAPE_MAP_H
#define LIB_SHAPE_MAP_H

#include "lib/queue/envelope.h"
#include "lib/route/route.h"

/*
 * The mapping of addresses on the way into the queue, as Postfix's cleanup(8) does it: canonical(5)
 * tables, masquerading, virtual(5) aliases, automatic copies. All addresses are in internal form
 * and complete. Whoever brings mail into the queue (smtpd, pickup, local's forwarding, notices,
 * probes) maps its envelope with map_envelope.
 */

/* canonical_classes and the like */
enum {
	MAP_ENVELOPE_SENDER = 1 << 0,
	MAP_ENVELOPE_RECIPIENT = 1 << 1,
	MAP_HEADER_SENDER = 1 << 2,
	MAP_HEADER_RECIPIENT = 1 << 3,
};

/* propagate_unmatched_extensions: whose results get the extension that their key lacks */
enum {
	PROPAGATE_CANONICAL = 1 << 0,
	PROPAGATE_VIRTUAL = 1 << 1,
	PROPAGATE_ALIAS = 1 << 2,
	PROPAGATE_FORWARD = 1 << 3,
	PROPAGATE_INCLUDE = 1 << 4,
	PROPAGATE_GENERIC = 1 << 5,
};
extern const struct conf_enum propagate_names[];

struct map_params {
	const char *canonical_maps, *sender_canonical_maps, *recipient_canonical_maps;
	int canonical_classes, sender_canonical_classes, recipient_canonical_classes;
	struct conf_list masquerade_domains;
	const char *masquerade_exceptions;
	int masquerade_classes;
	const char *virtual_alias_maps;
	int virtual_expansion_limit, virtual_recursion_limit, virtual_length_limit;
	int propagate; /* PROPAGATE_* */
	const char *always_bcc, *sender_bcc_maps, *recipient_bcc_maps;
	int duplicate_filter_limit;
	bool enable_original_recipient;
};
extern const struct conf_table map_params;

struct mapper;
struct core_params;

/*
 * Opens the tables. Never NULL; what cannot be opened is logged, and what would need it fails. All
 * arguments must outlive the mapper. Not shared across fork when tables are in use.
 */
struct mapper *mapper_open(
    const struct core_params *core, const struct map_params *params, struct router *router);
void mapper_close(struct mapper **mapper);        /* NULL inside allowed */
enum table_age mapper_age(struct mapper *mapper); /* of its tables; NULL: fresh */

/*
 * One address of a header, or the envelope's sender, through recipient_ or sender_canonical_maps,
 * canonical_maps and masquerade_domains. what is one MAP_*. *out is in arena, or `address` itself.
 * 0; -1 with err: a table failed, the message must not be taken now.
 */
int map_address(struct mapper *mapper, int what, const char *address, struct arena *arena,
    const char **out, struct err *err);

/*
 * Does one of the tables for recipients (recipient_canonical_maps, canonical_maps,
 * virtual_alias_maps) have the address? Whom they know is no unknown user.
 */
enum table_answer map_knows(struct mapper *mapper, const char *address, struct err *err);

/*
 * virtual_alias_maps, as often as something is found: fn gets each address, at least one. -1 with
 * err: a table failed, or one of the virtual_alias_*_limit is exceeded (err->code E2BIG).
 */
typedef void map_found_fn(void *arg, const char *address);
int map_aliases(
    struct mapper *mapper, const char *address, map_found_fn *fn, void *arg, struct err *err);

enum {
	MAP_BCC = 1 << 0, /* always_bcc and its like: for mail that comes from outside */
	MAP_NOTHING =
	    1 << 1 /* receive_override_options = no_address_mappings: only duplicates go */
};

/*
 * The whole envelope (mapper may be NULL: it stays): sender and recipients become what they are
 * mapped to, each recipient once, with routes where something changed; the recipients' orig says
 * what there was. Who wants to hear of success and has aliases becomes a recipient of the error
 * service, which says so (MAP_EXPANDED, RFC 3461 5.2.7.2). New texts and arrays are in arena. 0; -1
 * with err: nothing of env is of use any more, and err->code is E2BIG when an alias expands without
 * end.
 */
int map_envelope(
    struct mapper *mapper, struct envelope *env, int flags, struct arena *arena, struct err *err);

/* The nexthop that makes error(8) report an expansion. */
#define MAP_EXPANDED "2.0.0 alias expanded"

#endif
