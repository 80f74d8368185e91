/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/queue/store.h"

struct wanted {
	char *path;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

struct owners {
	bool root; /* we can give things away */
	uid_t owner;
	gid_t owner_group, setgid_group;
};

static bool find_owners(const struct instance *in, struct owners *o)
{
	const struct passwd *user = getpwnam(in->core.mail_owner);
	const struct group *group = getgrnam(in->core.setgid_group);

	o->root = geteuid() == 0;
	if (!user)
		log_error("mail_owner = %s: expected an existing user", in->core.mail_owner);
	if (!group)
		log_error("setgid_group = %s: expected an existing group", in->core.setgid_group);
	if (!user || !group)
		return false;
	o->owner = user->pw_uid;
	o->owner_group = user->pw_gid;
	o->setgid_group = group->gr_gid;
	return true;
}

/* By descriptor: what is looked at is what is changed. */
static const char *look(const struct wanted *w, const struct owners *o, enum dirs_mode mode)
{
	bool fix = mode == DIRS_FIX;
	const char *wrong = NULL;
	struct stat st;
	int fd = open(w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && mode != DIRS_LOOK && mkdir(w->path, 0700) == 0) {
		fix = true;
		fd = open(w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return errno == EACCES && !o->root ? NULL : strerror(errno);
	if (fstat(fd, &st) < 0) {
		wrong = strerror(errno);
	} else if (o->root && (st.st_uid != w->uid || st.st_gid != w->gid) &&
	           (!fix || fchown(fd, w->uid, w->gid) < 0)) {
		wrong = "has another owner or group";
	} else if ((st.st_mode & 07777) != w->mode && (!fix || fchmod(fd, w->mode) < 0)) {
		wrong = "has other permissions";
	}
	close(fd);
	return wrong;
}

static size_t check_one(const struct wanted *w, const struct owners *o, enum dirs_mode mode)
{
	const char *wrong = look(w, o, mode);

	if (!wrong)
		return 0;
	log_warn("%s: %s: expected a directory of user %d, group %d, mode %04o", w->path, wrong,
	    (int)w->uid, (int)w->gid, (unsigned)w->mode);
	return 1;
}

static void make_parents(const char *path)
{
	char *copy = alloc_strdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	free(copy);
}

static const char *const setgid_commands[] = {"postdrop", "postqueue"};

/*
 * Without them users can neither send mail nor see the queue. A private instance's commands are
 * for the one who made it.
 */
static size_t check_commands(const struct instance *in, const struct owners *o)
{
	size_t problems = 0;

	if (!o->root || strcmp(in->etc, "/etc/postfix") != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(setgid_commands); i++) {
		char *path = alloc_printf("%s/%s", in->core.command_directory, setgid_commands[i]);
		struct stat st;

		if (stat(path, &st) < 0 || st.st_gid != o->setgid_group ||
		    (st.st_mode & 06777) != 02755) {
			log_warn("%s: expected a program of group %s, mode 2755: "
			         "run `postern set-permissions`",
			    path, in->core.setgid_group);
			problems++;
		}
		free(path);
	}
	return problems;
}

/* Another mail system's queue, or an administrator's choice, may have stricter directories. */
size_t dirs_check(const struct instance *in, enum dirs_mode mode)
{
	struct owners o;
	struct wanted w = {0};
	size_t problems = 0;
	mode_t old_mask = umask(0);

	if (!find_owners(in, &o))
		return 1;
	if (mode != DIRS_LOOK) {
		make_parents(in->core.queue_directory);
		make_parents(in->core.data_directory);
	}
	w = (struct wanted){.path = alloc_strdup(in->core.queue_directory), .mode = 0755};
	problems += check_one(&w, &o, mode);
	free(w.path);
	for (size_t i = 0; i < queue_dir_count; i++) {
		const struct queue_dir *d = &queue_dirs[i];

		w.path = alloc_printf("%s/%s", in->core.queue_directory, d->name);
		w.mode = d->mode;
		w.uid = d->owned_by_root ? 0 : o.owner;
		w.gid = d->setgid_group ? o.setgid_group : 0;
		problems += check_one(&w, &o, mode);
		free(w.path);
	}
	w = (struct wanted){
	    .path = alloc_strdup(in->core.data_directory), .mode = 0700, .uid = o.owner};
	problems += check_one(&w, &o, mode);
	free(w.path);
	if (mode != DIRS_FIX)
		problems += check_commands(in, &o);
	umask(old_mask);
	return problems;
}

void dirs_fix_commands(const struct instance *in)
{
	struct owners o;

	if (!find_owners(in, &o) || !o.root)
		return;
	for (size_t i = 0; i < ARRAY_LEN(setgid_commands); i++) {
		char *path = alloc_printf("%s/%s", in->core.command_directory, setgid_commands[i]);
		struct stat st;

		if (stat(path, &st) == 0 &&
		    (chown(path, 0, o.setgid_group) < 0 || chmod(path, 02755) < 0))
			log_error(
			    "%s: set group %s: %s", path, in->core.setgid_group, strerror(errno));
		free(path);
	}
}
