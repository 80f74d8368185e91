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
 * Makes the notices that the log of the message calls for and puts them into the queue; not those
 * that somebody who died then has made of the same log. With log_fd the log has been taken
 * (bounce_log_take). 0: done, also when nobody is to be told; -1 (logged): not durable, the log
 * must stay.
 */
int notice_send(struct bounce *bounce, const struct bounce_request *request, enum report_kind kind,
    int log_fd, struct arena *arena);

/* ---- made.c -----------------------------------------------------------------------------------
 */

/* What has been made of a log before, by a process that did not come to its end. */
struct made {
	struct bounce *bounce;
	int log_fd;
	struct map *notices; /* struct bounce_notice by reader and index; NULL: none */
};

enum notice_reader { READER_SENDER, READER_POSTMASTER };
#define NOTICE_OF_ALL UINT32_MAX /* not of one recipient (VERP) */

/* Reads what stands in the log. -1 (logged): not known now, so none may be made. */
int made_init(
    struct made *made, struct bounce *bounce, int log_fd, const char *id, struct arena *arena);
void made_fini(struct made *made);
/* So many records from the log's beginning are in the reader's notice; 0 when there is none. */
size_t made_records(const struct made *made, enum notice_reader reader, uint32_t index);
/* To be said before a notice is put into the queue, and after. */
int made_begin(const struct made *made, enum notice_reader reader, uint32_t index, const char *id,
    struct err *err);
void made_end(const struct made *made, enum notice_reader reader, uint32_t index, const char *id,
    bool in_file);

/* ---- enqueue.c --------------------------------------------------------------------------------
 */

/* A notice in the queue. What it points at is the arena's. */
struct enqueued {
	struct envelope env;
	struct location loc;
	uint64_t len;
};

/*
 * Writes report `r` (with the content of m, which is NULL when there is no original) as the message
 * r->new_id from `sender` to r->to. 0 or -1 with err.
 */
int enqueue_report(struct bounce *bounce, const struct report *r, const struct message *m,
    const char *sender, struct arena *arena, struct enqueued *out, struct err *err);
/* Tells qmgr of it. */
void enqueue_announce(struct bounce *bounce, const struct enqueued *enqueued);

#endif
