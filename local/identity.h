/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_IDENTITY_H
#define LOCAL_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* A user of this host, and the rights under which files are touched and commands are run. */
struct local_user {
	const char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
};

/* 1 found, 0 no such user, -1 with err: the user database did not answer. Texts in arena. */
int identity_find(const char *name, struct arena *arena, struct local_user *out, struct err *err);
int identity_find_uid(uid_t uid, struct arena *arena, struct local_user *out, struct err *err);

/*
 * File operations between enter and leave are made with the user's rights alone (effective ids,
 * one group). A process that is not root stays what it is: enter then always succeeds. -1 with err
 * leaves the process as it was. leave does not fail: a process that cannot become itself again
 * ends.
 */
int identity_enter(const struct local_user *user, struct err *err);
void identity_leave(void);
bool identity_is_root(void); /* can this process change its identity? */

/* In a child, for good: real and effective ids and all groups of the user. 0 or -1 with errno. */
int identity_become(const struct local_user *user);

#endif
