/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_BUILD_H
#define LIB_TABLE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Index files from their sources: what postmap, postalias and newaliases do. An index is made
 * beside the old one and takes its name when it is complete and durable, so that readers see the
 * old content or the new, never a part; a failure leaves the old in place. The new file has the
 * owner and mode of the old one, else those of the source. Entries that cannot be used are logged
 * with file and line, and left out.
 */
enum build_duplicates { BUILD_WARN, BUILD_REPLACE, BUILD_IGNORE };

struct build_options {
	bool alias;          /* aliases(5) syntax, and the "@" and YP entries */
	bool keep_case;      /* keys are not lower-cased */
	bool no_zero;        /* entries without a trailing zero byte */
	bool files;          /* values name files: store their content in base64 (-F) */
	bool plain_mode;     /* a new index has mode 0644, not the source's */
	bool keep_privilege; /* root: do not act as the owner of the source */
	enum build_duplicates duplicates;
	uint64_t map_size; /* lmdb_map_size; grows by itself. 0: a default */
};

/* type_and_name: "lmdb:/etc/x" (or hash:, btree:, dbm:). 0, or -1 with err. */
int build_index(const char *type_and_name, const struct build_options *options, struct err *err);

/* Adds entries in source syntax to an index, which need not exist. origin is for messages. */
int build_add(const char *type_and_name, struct slice text, const char *origin,
    const struct build_options *options, struct err *err);

/* Removes keys; *removed_out is how many there were. -1 with err also when there is no index. */
int build_remove(const char *type_and_name, const struct slice *keys, size_t count,
    const struct build_options *options, size_t *removed_out, struct err *err);

/* "lmdb:NAME": is it a type that has an index? *name_out points behind the colon. */
int build_split_name(const char *type_and_name, const char **name_out, struct err *err);

#endif
