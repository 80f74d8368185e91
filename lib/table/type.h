/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_TYPE_H
#define LIB_TABLE_TYPE_H

#include <stdint.h>
#include <sys/stat.h>

#include "lib/table/table.h"

/*
 * What a table type provides; private to lib/table. A type whose content is a file says which, and
 * table.c looks whether that file was replaced and opens it again (lib/table/file.h); when that
 * fails the old content goes on to be used.
 */
struct table_type {
	const char *name;
	bool pattern; /* whole keys only */
	bool no_fold; /* keys are given as they are, whatever the flags */
	/* The path whose change means new content, from the name; NULL: the name is no file. */
	char *(*file)(const char *name);
	/* name is what stands behind "type:". depth bounds tables within tables. */
	int (*open)(const char *name, int flags, int depth, void **state_out, struct err *err);
	enum table_answer (*get)(void *state, const char *key, struct str *out, struct err *err);
	int (*next)(void *state, bool first, struct str *key_out, struct str *value_out,
	    struct err *err); /* NULL: cannot be walked */
	/* Pattern tables: as table_next_rule. */
	int (*next_rule)(
	    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err);
	void (*close)(void *state);
	enum table_age (*age)(void *state); /* tables made of tables; NULL: the file's */
};

enum { TABLE_DEPTH_MAX = 8, TABLE_FILE_MAX = 256 << 20 };

extern const struct table_type table_type_lmdb;
extern const struct table_type table_type_texthash, table_type_inline;
extern const struct table_type table_type_static, table_type_fail, table_type_environ;
extern const struct table_type table_type_unix;
extern const struct table_type table_type_cidr, table_type_regexp, table_type_pcre;
extern const struct table_type table_type_unionmap, table_type_pipemap, table_type_randmap;

/* As table_open, for the tables inside another one; -1 beyond TABLE_DEPTH_MAX. */
int table_open_nested(
    const char *type_and_name, int flags, int depth, struct table **table_out, struct err *err);

/* For types whose name is the file itself. */
char *table_file_is_name(const char *name);

/* "{ text }" without its braces and the blanks inside them; false when not in balanced braces. */
bool table_unbrace(struct slice *text);

#endif
