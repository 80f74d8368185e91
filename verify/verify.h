/* SPDX-License-Identifier: ISC */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/ipc/server.h"
#include "lib/peer/note.h"
#include "lib/peer/verify.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/shape/map.h"
#include "lib/table/store.h"
#include "verify/params.h"

struct core_params;

/* The process. */
struct verifier {
	const struct verify_params *params;
	const struct core_params *core;
	struct loop *loop;
	struct table_store *store; /* NULL: entries are in memory */
	struct map *memory;        /* text of entries, by address */
	struct map *pending;       /* int64_t: when a probe was sent, by address */
	struct queue *queue;
	struct router *router;
	struct mapper *mapper;
	struct notifier *notifier;
	bool (*probe)(struct verifier *v, const char *address, struct err *err); /* tests: a stub */
	struct timer commit, cleanup;
	struct str place; /* of the cleanup */
};

/* ---- entry.c: what is known of an address; pure ---------------------------------------------- */

enum { VERIFY_PROBE_TTL = 1000, VERIFY_TEXT_MAX = 1000 }; /* seconds: a probe is lost after that */

struct entry {
	enum verify_status status;
	int64_t probed, updated; /* seconds since 1970; 0: never */
	const char *text;
};
/* "status:probed:updated:text". The text points into `value`. false: it is no entry. */
bool verify_entry_parse(const char *value, struct entry *out);
void entry_print(struct str *out, const struct entry *e);
bool entry_expired(const struct entry *e, const struct verify_params *p, int64_t now);
/* Is a probe due for an address that somebody asks for? */
bool entry_wants_probe(const struct entry *e, const struct verify_params *p, int64_t now);

/* ---- cache.c ----------------------------------------------------------------------------------
 */

void cache_open(struct verifier *v); /* with mail_owner's rights, before chroot */
void cache_close(struct verifier *v);
void cache_start(struct verifier *v); /* its timers */
/* What to answer; sends a probe when one is due. The text is in arena. */
void cache_query(struct verifier *v, const char *address, int64_t now, struct arena *arena,
    struct verify_answer *out);
void cache_update(struct verifier *v, const struct verify_update *update, int64_t now);

/* ---- probe.c ----------------------------------------------------------------------------------
 */

/* Puts a probe for the address into the queue and tells qmgr; false with err. */
bool probe_send(struct verifier *v, const char *address, struct err *err);

bool verifier_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *arg);

#endif
