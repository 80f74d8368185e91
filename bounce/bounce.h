/* SPDX-License-Identifier: ISC */
#ifndef BOUNCE_BOUNCE_H
#define BOUNCE_BOUNCE_H

#include "bounce/params.h"
#include "bounce/report.h"
#include "lib/peer/note.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/shape/map.h"

struct service;
struct core_params;

/* The process: one of the services bounce, defer and trace. */
struct bounce {
	const struct core_params *core;
	struct bounce_params params;
	struct queue_params queue_params;
	struct route_params route_params;
	struct map_params map_params;
	struct queue *queue;
	struct router *router;
	struct mapper *mapper;
	struct notifier *notifier;
	struct match_list *flush_domains; /* fast_flush_domains, opened when first needed */
	const char *name;              /* "bounce", "defer", "trace": also the folder of its logs */
	struct template_set templates; /* expanded */
	uint32_t generation;
};

/* Serves one connection of qmgr until it closes. */
void bounce_serve(struct bounce *bounce, struct service *service, int fd);

/* ---- fast_flush.c -----------------------------------------------------------------------------
 */

/* Message id was deferred: writes it down for each of its recipients' sites that flush(8) serves.
 */
void fast_flush_note(
    struct bounce *bounce, const char *id, const struct bounce_record *records, size_t count);

/* ---- notice.c ---------------------------------------------------------------------------------
 */

/*
 * Makes the notices that the log of the message calls for and puts them into the queue. 0: done,
 * also when nobody is to be told; -1 (logged): not durable, the log must stay.
 */
int notice_send(struct bounce *bounce, const struct bounce_request *request, enum report_kind kind,
    struct arena *arena);

/* ---- enqueue.c --------------------------------------------------------------------------------
 */

/*
 * Writes report `r` (with the content of m, which is NULL when there is no original) as a message
 * from `sender` to r->to. r->new_id and the form of the original are filled in. 0 or -1 with err.
 */
int enqueue_report(struct bounce *bounce, struct report *r, const struct message *m,
    const char *sender, struct arena *arena, struct err *err);

#endif
