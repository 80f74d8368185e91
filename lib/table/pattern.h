/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_PATTERN_H
#define LIB_TABLE_PATTERN_H

#include "lib/table/prefix.h"
#include "lib/table/type.h"

/*
 * What cidr, regexp and pcre tables have in common: rules tried in order, "!", if/endif, and $1 in
 * the value. Each brings an engine for its patterns. A bad rule is logged with file and line and
 * left out; a bad "if" leaves out all up to its "endif".
 */
enum {
	PATTERN_GROUPS_MAX = 64,
	PATTERN_OTHER_KIND = 2, /* of match: not comparable (IPv4 and IPv6): "!" does not match */
};

struct pattern_subject {
	const char *text;
	size_t len;
	struct prefix address;
	struct slice groups[PATTERN_GROUPS_MAX]; /* of the last match; [0] is the whole */
};

struct pattern_engine {
	/* False: no pattern can match such a key. NULL: any text will do. */
	bool (*prepare)(struct pattern_subject *subject);
	/*
	 * Takes the pattern off the front of *line and compiles it. *groups_out is the number of
	 * groups that $n may name, -1 when the value is to be taken as it is.
	 */
	void *(*compile)(struct slice *line, int *groups_out, struct err *err);
	/* 1: match, 0: none, -1: error, PATTERN_OTHER_KIND */
	int (*match)(const void *compiled, struct pattern_subject *subject, bool want_groups,
	    struct err *err);
	void (*free)(void *compiled);
};

extern const struct pattern_engine pattern_cidr, pattern_regexp, pattern_pcre;

/* name is a file, or "{ {rule}, {rule} }"; flags as of table_open. */
int pattern_open(const struct pattern_engine *engine, const char *name, int flags, void **state_out,
    struct err *err);
/* The same of a text; never fails, since bad rules are left out. name is for messages. */
void *pattern_open_text(
    const struct pattern_engine *engine, const char *name, int flags, struct slice text);
enum table_answer pattern_get(void *state, const char *key, struct str *out, struct err *err);
void pattern_close(void *state);
/* As table_next_rule. */
int pattern_next_rule(
    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err);
char *pattern_file(const char *name);

/* Takes "/pattern/flags" off the line. The delimiter may be escaped within by a backslash. */
int pattern_split(
    struct slice *line, struct slice *pattern_out, struct slice *flags_out, struct err *err);

#endif
