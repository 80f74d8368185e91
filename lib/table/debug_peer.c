/* SPDX-License-Identifier: ISC */
#include "lib/table/debug_peer.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/table/match.h"

#define P struct debug_peer_params

static const struct conf_param rows[] = {
    CONF_TEXT(P, list, "debug_peer_list", "",
        "Peers (names, addresses, networks) whose sessions smtpd and smtp log in detail."),
    CONF_INT(P, level, "debug_peer_level", "2", 1, 0,
        "By how much the log is raised for debug_peer_list: as by so many -v."),
    CONF_LIST(P, parents, "parent_domain_matches_subdomains",
        "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,"
        "qmqpd_authorized_clients,relay_domains,smtpd_access_maps",
        "Parameters where example.com stands for its subdomains too."),
};

const struct conf_table debug_peer_params = {rows, ARRAY_LEN(rows)};

struct debug_peer {
	struct match_list *list;
	int level, normal;
};

struct debug_peer *debug_peer_open(const struct debug_peer_params *params)
{
	struct debug_peer *d;
	int flags = 0;

	if (!*params->list)
		return NULL;
	for (size_t i = 0; i < params->parents.count; i++)
		if (text_eq_nocase(params->parents.items[i], "debug_peer_list"))
			flags = MATCH_SUBDOMAINS;
	d = alloc_zero(1, sizeof(*d));
	d->list = match_list_open("debug_peer_list", params->list, flags);
	d->level = params->level;
	d->normal = log_verbose();
	return d;
}

void debug_peer_close(struct debug_peer **d)
{
	if (!*d)
		return;
	debug_peer_end(*d);
	match_list_close(&(*d)->list);
	free(*d);
	*d = NULL;
}

enum table_age debug_peer_age(struct debug_peer *d)
{
	return d ? match_list_age(d->list) : TABLE_FRESH;
}

bool debug_peer_begin(struct debug_peer *d, const char *name, const char *address)
{
	enum table_answer answer;
	struct err err;

	if (!d)
		return false;
	answer = match_list_host(d->list, name, address, &err);
	if (answer == TABLE_ERROR)
		log_warn("debug_peer_list: %s", err.text);
	log_set_verbose(d->normal + (answer == TABLE_FOUND ? d->level : 0));
	return answer == TABLE_FOUND;
}

void debug_peer_end(struct debug_peer *d)
{
	if (d)
		log_set_verbose(d->normal);
}
