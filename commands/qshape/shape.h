/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_QSHAPE_SHAPE_H
#define COMMANDS_QSHAPE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/map.h"
#include "lib/base/str.h"

/*
 * How many addresses wait, by domain and age. Pure. Ages go into buckets 1 to `buckets`, each twice
 * as wide as the one before it (or all alike), the last without an end; bucket 0 is the sum.
 */
enum { SHAPE_BUCKETS_MAX = 100 };

struct shape_settings {
	int buckets;     /* 1 to SHAPE_BUCKETS_MAX */
	double minutes;  /* of the first bucket */
	bool linear;     /* all buckets alike */
	bool parents;    /* domains count for those above them, too */
	int subdomains;  /* a parent with fewer known ones is not shown */
	int width;       /* of a line */
	int top_domains; /* so many rows; 0: all */
};

struct shape {
	struct shape_settings settings;
	int64_t now;
	struct map *domains; /* name -> struct shape_domain */
};

void shape_init(struct shape *s, const struct shape_settings *settings, int64_t now);
void shape_fini(struct shape *s);

/* "" is the null sender, counted as MAILER-DAEMON; without an @ the whole is taken as domain. */
void shape_add(struct shape *s, const char *address, int64_t arrival);

/* Appends the table: a line of ages in minutes, then a line to a domain, the largest first. */
void shape_print(const struct shape *s, struct str *out);

/* ---- for tests --------------------------------------------------------------------------- */
int shape_bucket(const struct shape_settings *settings, int64_t age);
/* What an address counts for: lower case, without doubled, leading and trailing dots. */
void shape_domain(struct str *out, const char *address);

#endif
