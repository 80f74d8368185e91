/* SPDX-License-Identifier: ISC */
#ifndef LIB_SHAPE_CHECKS_H
#define LIB_SHAPE_CHECKS_H

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/mail/mime.h"
#include "lib/table/table.h"

/*
 * header_checks(5): a field, or a line of a body, is looked up in tables, whose answer is an
 * action. What an action does is the caller's.
 */
enum check_action {
	CHECK_DUNNO, /* also when no table has the text */
	CHECK_BCC,
	CHECK_DISCARD,
	CHECK_DELAY,
	CHECK_FILTER,
	CHECK_HOLD,
	CHECK_IGNORE,
	CHECK_INFO,
	CHECK_PASS,
	CHECK_PREPEND,
	CHECK_REDIRECT,
	CHECK_REJECT,
	CHECK_REPLACE,
	CHECK_STRIP,
	CHECK_WARN,
	CHECK_UNKNOWN, /* the text is the whole value */
};

struct check {
	enum check_action action;
	const char *word;   /* the action's name, in lower case, for logs */
	struct slice text;  /* behind the action; it points into the value, or checks' memory */
	struct slice value; /* all of it */
};

/* "ACTION text", case ignored. Pure. */
struct check check_parse(struct slice value);
/*
 * The text of PREPEND or REPLACE as it goes into a message: what a pattern has matched in a folded
 * field has line feeds in it, and each line is to end in CR LF.
 */
void check_put_text(struct str *out, struct slice text);
/* Does the action demand a text? */
bool check_needs_text(enum check_action action);

struct checks;
struct checks_tables {
	const char *header, *mime, *nested, *body; /* lists of tables */
	size_t body_limit; /* body_checks_size_limit: so much of each part is looked at */
	/* names of the parameters, for warnings */
	const char *header_name, *mime_name, *nested_name, *body_name;
};
/* NULL when all lists are empty. The texts of *tables must outlive it. */
struct checks *checks_open(const struct checks_tables *tables);
void checks_close(struct checks **checks);
enum table_age checks_age(const struct checks *checks); /* NULL: fresh */

bool checks_body_wanted(const struct checks *checks);
bool checks_parts_wanted(const struct checks *checks); /* anything but the message's own header */

/*
 * A field (all its lines). TABLE_FOUND with *out, whose text lives until the next question;
 * TABLE_NOT_FOUND; TABLE_ERROR with err. *map_out is the parameter that was asked.
 */
enum table_answer checks_header(struct checks *checks, enum mime_class class_, struct slice field,
    struct check *out, const char **map_out, struct err *err);
/* A line of a body; begin with *seen = 0 for each part, behind the limit nothing is found. */
enum table_answer checks_body(struct checks *checks, struct slice line, size_t *seen,
    struct check *out, const char **map_out, struct err *err);

#endif
