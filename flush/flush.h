/* SPDX-License-Identifier: ISC */
#ifndef FLUSH_FLUSH_H
#define FLUSH_FLUSH_H

#include "flush/params.h"
#include "lib/peer/flush.h"
#include "lib/table/match.h"

struct service;

/* The process. */
struct flush {
	const struct flush_params *params;
	struct queue *queue;
	struct match_list *domains;
};

/* Serves a connection: requests, or the one byte of master's wake-up timer. */
void flush_serve(struct flush *flush, struct service *service, int fd);
/* One request of a peer that is trusted, or not. */
enum flush_status flush_handle(
    struct flush *flush, uint16_t type, const struct flush_request *request, bool trusted);

/* ---- send.c ----------------------------------------------------------------------------------
 */

/* All that waits for the site, or with subdomains for those below it, is tried now. */
enum flush_status flush_send_site(struct flush *flush, const char *site, bool subdomains);
enum flush_status flush_send_file(struct flush *flush, const char *id);
/* Sends the logs that nobody has read for max_age seconds; removes empty ones, in time. */
enum flush_status flush_refresh(struct flush *flush, int max_age);

#endif
