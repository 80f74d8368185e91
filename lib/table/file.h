/* SPDX-License-Identifier: ISC */
#ifndef LIB_TABLE_FILE_H
#define LIB_TABLE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "lib/base/err.h"

/* The file behind a table: has it changed, and could this process open it again? */

/* What tells one version of a file from another. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct table_file {
	char *path; /* NULL: there is none */
	struct file_stamp stamp;
	int fd;          /* to be looked at, not read; -1: none */
	uid_t opened_as; /* rights that may be gone by now */
	int64_t next_look_ms;
	bool young;    /* when looked at: the next version could have the same stamp */
	bool guarded;  /* this process cannot open it any more */
	bool outdated; /* and it has changed */
};

/* Takes path over, which may be NULL. Before the content is read: what changes then is seen later.
 */
void table_file_init(struct table_file *f, char *path);
void table_file_fini(struct table_file *f);

/*
 * true: there is another version, or may be, try to open it. Between two lookups the file is left
 * alone for some milliseconds, unless `now`.
 */
bool table_file_changed(struct table_file *f, bool now);
/* That version could not be opened. true: because the rights are gone; it is outdated now. */
bool table_file_failed(struct table_file *f, const struct err *why);

/* Would other rights help, which the process had as `opened_as`? */
bool table_rights_gone(uid_t opened_as, const struct err *why);

#endif
