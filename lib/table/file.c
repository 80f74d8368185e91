/* SPDX-License-Identifier: ISC */
/*
 * A path may lead nowhere any more after a change of user or root folder. The file itself can still
 * be looked at through a descriptor that gives no right to read: when it was written to, or has
 * lost its name to another one, there is a new version.
 */
#include "lib/table/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/clock.h"

/*
 * One message asks a table several times, and a look for each would cost more than the lookup.
 * What is written twice within one tick of the kernel's clock (10 ms at most) has one time for
 * both.
 */
enum { LOOK_MS = 5, TICK_US = 20000 };

static struct file_stamp stamp_of(const struct stat *st)
{
	return (struct file_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim};
}

static bool same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void remember(struct table_file *f, const struct stat *st)
{
	int64_t written_us =
	    (int64_t)st->st_mtim.tv_sec * 1000000 + (int64_t)st->st_mtim.tv_nsec / 1000;
	int64_t age_us = clock_wall_us() - written_us;

	f->stamp = stamp_of(st);
	f->young = age_us > -TICK_US && age_us < TICK_US;
}

void table_file_init(struct table_file *f, char *path)
{
	struct stat st;

	*f = (struct table_file){.path = path, .fd = -1, .opened_as = geteuid()};
	if (!path)
		return;
	if (stat(path, &st) == 0)
		remember(f, &st);
	/* only who starts with all rights is going to lose some */
	if (f->opened_as == 0)
		f->fd = open(path, O_PATH | O_CLOEXEC);
	f->next_look_ms = clock_mono_ms() + LOOK_MS;
}

void table_file_fini(struct table_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct table_file){.fd = -1};
}

static void look_through_descriptor(struct table_file *f)
{
	struct file_stamp stamp;
	struct stat st;

	f->guarded = true;
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return;
	stamp = stamp_of(&st);
	if (st.st_nlink == 0 || !same(&stamp, &f->stamp))
		f->outdated = true;
}

bool table_file_changed(struct table_file *f, bool now)
{
	bool dropped = f->path && f->opened_as != geteuid();
	int64_t now_ms = clock_mono_ms();
	struct file_stamp stamp;
	struct stat st;

	if (!f->path || f->outdated || (!now && now_ms < f->next_look_ms))
		return false;
	f->next_look_ms = now_ms + LOOK_MS;
	if (stat(f->path, &st) < 0) {
		if (dropped)
			look_through_descriptor(f);
		return false;
	}
	f->guarded = dropped && access(f->path, R_OK) < 0;
	stamp = stamp_of(&st);
	if (same(&stamp, &f->stamp) && !f->young)
		return false;
	remember(f, &st); /* one try for each version */
	return true;
}

bool table_rights_gone(uid_t opened_as, const struct err *why)
{
	return opened_as != geteuid() && (why->code == EACCES || why->code == EPERM);
}

bool table_file_failed(struct table_file *f, const struct err *why)
{
	if (!table_rights_gone(f->opened_as, why))
		return false;
	f->outdated = f->guarded = true;
	return true;
}
