/* SPDX-License-Identifier: ISC */
/*
 * Started by root: what needs root is opened first (before_drop), then the process is locked into
 * the queue when master.cf says so, then it becomes mail_owner for good. Started by anyone else:
 * nothing to drop, and the chroot column has no effect.
 */
#include "lib/service/private.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/mail/idna.h"

static void enter_chroot(struct service *s)
{
	idna_load();
	tzset(); /* the zone file is outside */
	if (chroot(s->core.queue_directory) < 0 || chdir("/") < 0)
		fatal("chroot %s: %s", s->core.queue_directory, strerror(errno));
}

static const struct passwd *find_owner(const struct service *s)
{
	const struct passwd *owner;

	errno = 0;
	owner = getpwnam(s->core.mail_owner);
	if (!owner)
		fatal("parameter mail_owner: user \"%s\": %s", s->core.mail_owner,
		    errno ? strerror(errno) : "there is no such user");
	if (owner->pw_uid == 0)
		fatal("parameter mail_owner: user \"%s\" has root's user id", s->core.mail_owner);
	return owner;
}

void service_as_owner(struct service *s, void (*fn)(void *arg), void *arg)
{
	const struct passwd *owner;

	if (geteuid() != 0) {
		fn(arg);
		return;
	}
	owner = find_owner(s);
	if (setgroups(1, &owner->pw_gid) < 0 || setegid(owner->pw_gid) < 0 ||
	    seteuid(owner->pw_uid) < 0)
		fatal("act as user %s: %s", s->core.mail_owner, strerror(errno));
	fn(arg);
	if (seteuid(0) < 0 || setegid(0) < 0)
		fatal("act as root again: %s", strerror(errno));
}

/* With its other groups, as Postfix; master has looked them up. */
static bool take_groups(const struct service *s, const struct passwd *owner)
{
	const struct service_options *o = &s->options;

	if (o->group_count > 0 && o->owner == owner->pw_uid)
		return setgroups(o->group_count, o->groups) == 0;
	/* -o mail_owner in master.cf: another user than master's */
	return initgroups(owner->pw_name, owner->pw_gid) == 0;
}

static void become_owner(struct service *s, const struct passwd *owner)
{
	if (setgid(owner->pw_gid) < 0 || setuid(owner->pw_uid) < 0)
		fatal("become user %s: %s", s->core.mail_owner, strerror(errno));
	if (setuid(0) == 0)
		fatal("root privileges are still there after giving them up");
}

void service_drop_privileges(struct service *s)
{
	bool keep = s->spec->keeps_root && !s->options.unprivileged;
	const struct passwd *owner;

	umask(077);
	if (chdir(s->core.queue_directory) < 0)
		fatal("change to queue_directory %s: %s", s->core.queue_directory, strerror(errno));
	if (s->spec->before_drop)
		s->spec->before_drop(s);
	if (geteuid() != 0) {
		if (s->options.chroot)
			log_debug("chroot has no effect: this is not started by root");
		return;
	}
	owner = keep ? NULL : find_owner(s);
	if (owner && !take_groups(s, owner))
		fatal("groups of user %s: %s", s->core.mail_owner, strerror(errno));
	if (s->options.chroot)
		enter_chroot(s);
	if (owner)
		become_owner(s, owner);
	/* a change of user cancels this */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}
