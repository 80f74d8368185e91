/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_CONF_H
#define LIB_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * The parameter engine: main.cf plus -o overrides become const structs, by tables.
 *
 * A `struct conf` is one loaded configuration: raw texts with the place they came from, and an
 * arena in which every string lives that conf_fill hands out; it is read-only once filled, and is
 * replaced as a whole by a reload. A program describes its parameters as a table of rows over a
 * struct of its own; the same table parses, checks, prints (postconf) and documents.
 *
 * A parameter's default is text and may hold $name. Names that no table in this program describes
 * are looked up in the catalogue (catalogue.h), which lists every name that Postfix 3.7 to 3.11
 * knows with its default, so that any $name expands everywhere.
 */
struct conf;

/* How a value is read and shown. lib/conf has the kinds below; other floors may add theirs. */
struct conf_param;
struct conf_kind {
	const char *name;     /* "time", for messages and man pages */
	const char *expected; /* "a time such as 30s, 5m, 2h, 1d", for error messages */
	/* Reads the expanded text into *(member type *)at; 0, or -1 with err (no name, no file). */
	int (*parse)(struct conf *conf, const struct conf_param *row, const char *text, void *at,
	    struct err *err);
};

extern const struct conf_kind
    conf_kind_text;                          /* const char *, min to max bytes when these are set */
extern const struct conf_kind conf_kind_raw; /* const char *, $name not expanded */
extern const struct conf_kind conf_kind_bool;  /* bool: yes or no */
extern const struct conf_kind conf_kind_int;   /* int, bounded by min and max */
extern const struct conf_kind conf_kind_size;  /* int64_t, bytes; no suffix (as Postfix) */
extern const struct conf_kind conf_kind_secs;  /* int, seconds; suffixes s m h d w */
extern const struct conf_kind conf_kind_enum;  /* int, one of row->names */
extern const struct conf_kind conf_kind_set;   /* int, any of row->names, their values ORed */
extern const struct conf_kind conf_kind_words; /* const char *, some of row->names */
extern const struct conf_kind conf_kind_list;  /* struct conf_list, split at commas and blanks */

/* struct conf_feedback: "0.25", "1/4", "1 / concurrency", "1/sqrt_concurrency" */
extern const struct conf_kind conf_kind_feedback;

enum conf_feedback_form {
	CONF_FEEDBACK_CONSTANT,
	CONF_FEEDBACK_CONCURRENCY, /* value / N */
	CONF_FEEDBACK_SQRT         /* value / sqrt(N) */
};
struct conf_feedback {
	double value; /* 0 to 1 */
	enum conf_feedback_form form;
};

struct conf_list {
	const char *const *items;
	size_t count;
};

struct conf_enum {
	const char *name; /* NULL ends the array */
	int value;
};

struct conf_param {
	const char *name;
	const struct conf_kind *kind;
	size_t offset;
	const char *dflt;
	int64_t min, max; /* max 0: no upper bound */
	const struct conf_enum *names;
	const char *doc; /* one line, for postconf -# and the man page */
};

struct conf_table {
	const struct conf_param *rows;
	size_t count;
};

/* Rows. A wrong member type is a compile error. */
#define CONF_AT(st, m, type) \
	(offsetof(st, m) + 0 * sizeof(char[_Generic(&((st *)0)->m, type * : 1)]))
#define CONF_TEXT(st, m, name, dflt, doc)                                                  \
	{                                                                                  \
		name, &conf_kind_text, CONF_AT(st, m, const char *), dflt, 0, 0, NULL, doc \
	}
/* Not empty. */
#define CONF_SOME_TEXT(st, m, name, dflt, doc)                                             \
	{                                                                                  \
		name, &conf_kind_text, CONF_AT(st, m, const char *), dflt, 1, 0, NULL, doc \
	}
#define CONF_WORDS(st, m, name, dflt, names, doc)                                            \
	{                                                                                    \
		name, &conf_kind_words, CONF_AT(st, m, const char *), dflt, 0, 0, names, doc \
	}
#define CONF_RAW(st, m, name, dflt, doc)                                                  \
	{                                                                                 \
		name, &conf_kind_raw, CONF_AT(st, m, const char *), dflt, 0, 0, NULL, doc \
	}
#define CONF_BOOL(st, m, name, dflt, doc)                                          \
	{                                                                          \
		name, &conf_kind_bool, CONF_AT(st, m, bool), dflt, 0, 0, NULL, doc \
	}
#define CONF_INT(st, m, name, dflt, lo, hi, doc)                                   \
	{                                                                          \
		name, &conf_kind_int, CONF_AT(st, m, int), dflt, lo, hi, NULL, doc \
	}
#define CONF_SIZE(st, m, name, dflt, lo, hi, doc)                                       \
	{                                                                               \
		name, &conf_kind_size, CONF_AT(st, m, int64_t), dflt, lo, hi, NULL, doc \
	}
#define CONF_SECS(st, m, name, dflt, lo, hi, doc)                                   \
	{                                                                           \
		name, &conf_kind_secs, CONF_AT(st, m, int), dflt, lo, hi, NULL, doc \
	}
#define CONF_ENUM(st, m, name, dflt, names, doc)                                   \
	{                                                                          \
		name, &conf_kind_enum, CONF_AT(st, m, int), dflt, 0, 0, names, doc \
	}
#define CONF_SET(st, m, name, dflt, names, doc)                                   \
	{                                                                         \
		name, &conf_kind_set, CONF_AT(st, m, int), dflt, 0, 0, names, doc \
	}
#define CONF_LIST(st, m, name, dflt, doc)                                                      \
	{                                                                                      \
		name, &conf_kind_list, CONF_AT(st, m, struct conf_list), dflt, 0, 0, NULL, doc \
	}

#define CONF_FEEDBACK(st, m, name, dflt, doc)                                                      \
	{                                                                                          \
		name, &conf_kind_feedback, CONF_AT(st, m, struct conf_feedback), dflt, 0, 0, NULL, \
		    doc                                                                            \
	}

/*
 * Parameters of a transport: "<transport>_destination_concurrency_limit" overrides
 * "default_destination_concurrency_limit". suffix starts with '_'; fallback is the whole name of
 * the parameter that holds the default.
 */
struct conf_family {
	const char *suffix;
	const char *fallback;
	const struct conf_kind *kind; /* int, secs or feedback */
	int64_t min, max;
	const char *doc;
};

/* What was wrong, all of it, in order: "file: line N: name = value: expected ...". */
struct conf_report {
	struct str text;   /* one problem a line */
	struct str warned; /* one warning a line */
	size_t problems;   /* errors: the configuration cannot be used */
	size_t warnings;   /* unknown names, parameters without effect */
};
void conf_report_fini(struct conf_report *report);
void conf_report_problem(struct conf_report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);
void conf_report_warning(struct conf_report *report, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Reads etc/main.cf. A missing or malformed file is -1 with err naming file and line. The caller
 * frees with conf_free. conf_etc gives the folder back (MAIL_CONFIG of children).
 */
int conf_load(const char *etc, struct conf **conf_out, struct err *err);
void conf_free(struct conf **conf);
/* The same from text (tests, fuzzing, postconf -o with no file); path is for messages. */
int conf_load_text(const char *etc, const char *path, const char *text, size_t len,
    struct conf **conf_out, struct err *err);
/* What conf_load saw and could live with (double names, ...), one a line; "" mostly. */
const char *conf_warnings(const struct conf *conf);
const char *conf_etc(const struct conf *conf);

/* An override as of -o or of a test; later ones win. origin is for messages ("master.cf: line 9").
 */
void conf_set(struct conf *conf, const char *name, const char *value, const char *origin);

/* The raw text: override, main.cf, registered default, catalogue; NULL when nobody knows it. */
const char *conf_raw(struct conf *conf, const char *name);
/* Is it set in main.cf or by an override (and not merely by default)? */
bool conf_is_set(const struct conf *conf, const char *name);
/* Where it is set: "/etc/postfix/main.cf: line 12", an override's origin; NULL when by default. */
const char *conf_origin(const struct conf *conf, const char *name);
/* The default's text, whatever main.cf says: computed, registered, catalogue; NULL: nobody knows.
 */
const char *conf_default(struct conf *conf, const char *name);
/* Walks what main.cf sets, in the order of the file; false at the end. */
bool conf_next_set(const struct conf *conf, size_t *cursor, const char **name_out,
    const char **value_out, const char **origin_out);

/* Makes the defaults of a table known for $name; conf_fill does it by itself. */
void conf_register(struct conf *conf, const struct conf_table *table);

/*
 * Expands $name, ${name}, ${name?text}, ${name:text}, ${name?{text}:{text}} and the comparisons
 * ${{a} == {b} ? {x} : {y}} in text; appends to out. -1 on a malformed expression, a loop, or a
 * result beyond 1 MiB.
 */
int conf_expand(struct conf *conf, const char *text, struct str *out, struct err *err);

/* The expanded value of one name, in the conf's arena; "" when unknown. For rare, single uses. */
const char *conf_get(struct conf *conf, const char *name);

/*
 * Fills the struct at `out` from the table, and checks what main.cf sets for single transports in
 * the families whose default the table has. All problems go to the report (a bad value then has
 * its default in the struct); returns 0 or -1 when there were errors.
 */
int conf_fill(
    struct conf *conf, const struct conf_table *table, void *out, struct conf_report *report);

/*
 * Reads every value of every table (NULL-terminated) as conf_fill would and keeps none: for
 * "postconf -k", which knows the tables of all programs. 0, or -1 when there were errors.
 */
int conf_check_values(
    struct conf *conf, const struct conf_table *const *tables, struct conf_report *report);

/*
 * One family value for one transport into *(member type *)out, checked as conf_fill would; a bad
 * value is logged once and replaced by the default.
 */
void conf_family_get(
    struct conf *conf, const struct conf_family *family, const char *transport, void *out);

/* The family whose suffix ends `name` ("x_time_limit"), of all that Postfix knows, or NULL. */
const struct conf_family *conf_family_find(const char *name);
/* The family of this very suffix, or NULL. */
const struct conf_family *conf_family_of(const char *suffix);
/* All of them; suffix NULL ends the array. */
extern const struct conf_family conf_families[];

/* Memory that lives as long as this configuration. */
struct arena *conf_arena(struct conf *conf);

#endif
