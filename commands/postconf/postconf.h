/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTCONF_POSTCONF_H
#define COMMANDS_POSTCONF_POSTCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/conf/master_cf.h"
#include "lib/conf/names.h"

/* What the files of this command share. */

enum { /* classes to show */
	CLASS_BUILTIN = 1 << CONF_NAME_BUILTIN,
	CLASS_SERVICE = 1 << CONF_NAME_SERVICE,
	CLASS_USER = 1 << CONF_NAME_USER,
	CLASS_ALL = CLASS_BUILTIN | CLASS_SERVICE | CLASS_USER,
};

enum edit { EDIT_NONE, EDIT_SET, EDIT_COMMENT, EDIT_REMOVE };

struct postconf {
	const char *etc; /* the configuration folder, as given */
	bool etc_given;  /* by -c or MAIL_CONFIG */
	bool defaults, set_only, fold, no_names, no_values, expand;
	int classes;
	enum edit edit;
	FILE *out;
	struct conf *conf;
	struct master_cf services;
	struct conf_names *names;
};

/* fold.c: words of one entry, broken at `width` columns when folding. An all-zero struct with out
 * is ready. */
struct folder {
	FILE *out;
	bool fold;
	size_t column;
	size_t width; /* 0: 80 */
};
void fold_text(struct folder *f, const char *text);  /* as it stands */
void fold_word(struct folder *f, const char *text);  /* after a blank, or on a new line */
void fold_words(struct folder *f, const char *text); /* all words of a text */
void fold_indent(struct folder *f);                  /* what follows starts a new line */
void fold_end(struct folder *f);

/* lists.c: what this version has. Option 'a', 'A', 'l', 'm', or 'T' with its mode. */
void list_print(char option, const char *mode, FILE *out);
/* -K, for the manual page: name, kind, bounds, words, default, meaning; a parameter a line. */
void list_rows(FILE *out);

/* show.c: parameters of main.cf. */
void show_params(struct postconf *pc, char **names, int count);
/* "name = value" as the options say. */
void show_pair(struct postconf *pc, const char *name, const char *value);
/* The value as it is printed: raw, or expanded (NULL after a warning when that fails). */
const char *show_value(struct postconf *pc, const char *name, const char *raw);

/* services.c: master.cf, shown. */
void services_show_entries(struct postconf *pc, char **requests, int count);
void services_show_fields(struct postconf *pc, char **requests, int count);
void services_show_params(struct postconf *pc, char **requests, int count);
/* One entry as postconf prints it, always with a line end. */
void services_print_entry(FILE *out, bool fold, const struct master_cf_entry *entry);
/* An argument with braces only where it needs them; in pc's arena. */
const char *services_plain_arg(struct arena *arena, const char *arg);

/* edit.c: main.cf changed in place. -1 with err. */
int edit_main(struct postconf *pc, char **requests, int count, struct err *err);
/* Writes text over path: same mode and owner, whole or not at all. */
int edit_replace_file(const char *path, const struct str *text, struct err *err);
/*
 * Holds the lock of edits to path (path.tmp), so that two commands do not undo one another.
 * A descriptor to close after the replacement, or -1 with err.
 */
int edit_lock(const char *path, struct err *err);

/* edit_services.c: master.cf changed in place. what is 'M', 'F' or 'P'. -1 with err. */
int edit_services(struct postconf *pc, char what, char **requests, int count, struct err *err);

/* tables.c: all parameter tables of this version, NULL-terminated. */
extern const struct conf_table *const all_tables[];
extern const struct conf_table other_params; /* others.c */

#endif
