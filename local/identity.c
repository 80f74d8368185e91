/* SPDX-License-Identifier: ISC */
#include "local/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

/*
 * The real user id stays root's while the effective one is the recipient's, so that kernel checks
 * (permissions, quota, size) are the recipient's. Only commands need the change for good.
 */
enum { PASSWD_BUFFER = 16 * 1024 };

static void keep(const struct passwd *pw, struct arena *arena, struct local_user *out)
{
	out->name = arena_strdup(arena, pw->pw_name);
	out->home = arena_strdup(arena, pw->pw_dir ? pw->pw_dir : "");
	out->shell = arena_strdup(arena, pw->pw_shell ? pw->pw_shell : "");
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
}

/* What libc says for "no such user" differs between name services. */
static bool means_absent(int code)
{
	return code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM;
}

static int answer(int code, const struct passwd *found, struct arena *arena, struct local_user *out,
    struct err *err)
{
	if (found) {
		keep(found, arena, out);
		return 1;
	}
	if (means_absent(code))
		return 0;
	return err_set(err, code, "user lookup: %s", strerror(code));
}

int identity_find(const char *name, struct arena *arena, struct local_user *out, struct err *err)
{
	char buf[PASSWD_BUFFER];
	struct passwd pw, *found = NULL;
	int code;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	do
		code = getpwnam_r(name, &pw, buf, sizeof(buf), &found);
	while (code == EINTR);
	return answer(code, found, arena, out, err);
}

int identity_find_uid(uid_t uid, struct arena *arena, struct local_user *out, struct err *err)
{
	char buf[PASSWD_BUFFER];
	struct passwd pw, *found = NULL;
	int code;

	do
		code = getpwuid_r(uid, &pw, buf, sizeof(buf), &found);
	while (code == EINTR);
	return answer(code, found, arena, out, err);
}

bool identity_is_root(void)
{
	return getuid() == 0;
}

int identity_enter(const struct local_user *user, struct err *err)
{
	if (!identity_is_root())
		return 0;
	if (setgroups(1, &user->gid) == 0 && setegid(user->gid) == 0 && seteuid(user->uid) == 0)
		return 0;
	err_sys(err, "become user %s", user->name);
	identity_leave();
	return -1;
}

void identity_leave(void)
{
	const gid_t root_group = 0;

	if (!identity_is_root())
		return;
	if (seteuid(0) < 0 || setegid(0) < 0 || setgroups(1, &root_group) < 0)
		fatal("become root again: %s", strerror(errno));
}

int identity_become(const struct local_user *user)
{
	if (!identity_is_root())
		return 0;
	if (initgroups(user->name, user->gid) < 0 || setgid(user->gid) < 0 || setuid(user->uid) < 0)
		return -1;
	if (user->uid != 0 && setuid(0) == 0) {
		errno = EPERM; /* the rights are not gone: run nothing */
		return -1;
	}
	return 0;
}
