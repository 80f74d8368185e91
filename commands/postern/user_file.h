/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTERN_USER_FILE_H
#define COMMANDS_POSTERN_USER_FILE_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * The file of a table of users, as people write it: comments and the order of entries stay. A
 * change is made in a new file that takes the old one's name, owner and mode when it is durable:
 * whoever reads sees the old content or the new. Who writes waits for others that do.
 */
struct user_file;

/*
 * table: "texthash:PATH", or "lmdb:PATH" (hash:, btree:, dbm:), whose source is PATH. writes: it is
 * locked, and need not exist; root makes a new one readable by the group of owner. NULL with err.
 */
struct user_file *user_file_open(
    const char *table, bool writes, const char *owner, struct err *err);
void user_file_close(struct user_file **file);

bool user_file_has(const struct user_file *file, const char *name); /* case of letters ignored */
/* Puts the entry in the place of the old one, or at the end; value NULL: removes it. */
void user_file_put(struct user_file *file, const char *name, const char *value);
/* Appends to value what the entry says beside the password. */
void user_file_keep_words(const struct user_file *file, const char *name, struct str *value);
void user_file_disable(struct user_file *file, const char *name, bool disabled);
/* Names, and how passwords are kept; no secrets. */
void user_file_list(const struct user_file *file);

/* Makes the change, and the index of the table if it has one. -1 with err. */
int user_file_save(struct user_file *file, struct err *err);

#endif
