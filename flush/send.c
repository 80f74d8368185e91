/* SPDX-License-Identifier: ISC */
/*
 * Having mail tried. Each message's retry time is set to now, which is on disk and outlives a queue
 * manager that is down; then the queue manager is told the ids, a few hundred at a time, so that it
 * takes up these and no others, at once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "flush/flush.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/peer/note.h"

enum { DEPTH_MAX = 4, PATH_SIZE = 512, REST_AGE = 600 };

struct batch {
	struct flush *flush;
	char texts[NOTE_ATTEMPT_MAX][QUEUE_ID_MAX];
	struct note_attempt_id ids[NOTE_ATTEMPT_MAX];
	size_t count;
	bool unheard; /* qmgr is down: a scan will find the mail */
};

static void batch_send(struct batch *b)
{
	struct note_attempt attempt = {.ids = {b->ids, b->count}};
	struct err err;

	if (b->count > 0 && !b->unheard && note_attempt_send(&attempt, &err) < 0) {
		log_warn("%s (mail is tried when the queue manager is back)", err.text);
		b->unheard = true;
	}
	b->count = 0;
}

/* What is not deferred (any more) needs nothing: it is active, held, or gone. */
static bool batch_add(void *arg, const char *id)
{
	struct batch *b = arg;
	char path[256];

	queue_path(b->flush->queue, "deferred", id, path, sizeof(path));
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			log_warn("%s: %m", path);
		return true;
	}
	snprintf(b->texts[b->count], sizeof(b->texts[0]), "%s", id);
	b->ids[b->count].id = b->texts[b->count];
	if (++b->count == NOTE_ATTEMPT_MAX)
		batch_send(b);
	return true;
}

static enum flush_status send_log(struct flush *flush, const char *path, bool is_rest)
{
	struct batch b = {.flush = flush};
	struct err err;
	int rc = is_rest ? flush_log_take_rest(path, batch_add, &b, &err)
	                 : flush_log_take(path, batch_add, &b, &err);

	batch_send(&b);
	if (rc < 0)
		log_warn("%s", err.text);
	return rc < 0 ? FLUSH_FAILED : FLUSH_OK;
}

/* ---- walking through the logs -------------------------------------------------------------- */

struct walk {
	struct flush *flush;
	int max_age;
	char suffix[FLUSH_SITE_MAX + 2]; /* "_example_com": these, whatever their age; or "" */
	time_t now;
	enum flush_status status;
};

static void visit(struct walk *w, const char *path, const char *name, const struct stat *st)
{
	bool is_rest = flush_log_is_rest(name);

	if (w->suffix[0]) {
		/* an empty one may be what is left of one taken: a walk may come by it again */
		if (is_rest || st->st_size == 0 || !text_ends_nocase(name, w->suffix))
			return;
	} else if (is_rest) {
		if (w->now - st->st_ctime < REST_AGE)
			return; /* somebody is at it */
	} else if (st->st_size == 0) {
		if (w->now - st->st_mtime > w->flush->params->purge_time && unlink(path) == 0)
			log_debug("%s: purged", path);
		return;
	} else if (w->now - st->st_atime <= w->max_age) {
		return;
	}
	if (send_log(w->flush, path, is_rest) != FLUSH_OK)
		w->status = FLUSH_FAILED;
}

static void walk_folder(struct walk *w, const char *folder, int depth)
{
	DIR *handle = opendir(folder);
	struct dirent *entry;

	if (!handle) {
		log_warn("open directory %s: %m", folder);
		w->status = FLUSH_FAILED;
		return;
	}
	while ((entry = readdir(handle))) {
		char path[PATH_SIZE];
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
		        (int)sizeof(path) ||
		    lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && strlen(entry->d_name) == 1)
			walk_folder(w, path, depth + 1);
		else if (S_ISREG(st.st_mode))
			visit(w, path, entry->d_name, &st);
	}
	closedir(handle);
}

/* The logs' names end alike: a site that differs in a '-' only is sent as well, which does no harm.
 */
static enum flush_status send_subdomains(struct flush *flush, const char *path)
{
	struct walk w = {.flush = flush, .now = time(NULL)};

	snprintf(w.suffix, sizeof(w.suffix), "_%s", strrchr(path, '/') + 1);
	walk_folder(&w, "flush", 0);
	return w.status;
}

enum flush_status flush_send_site(struct flush *flush, const char *site, bool subdomains)
{
	enum flush_status status, below = FLUSH_OK;
	char path[PATH_SIZE];

	if (!flush_log_path(flush->queue, site, path, sizeof(path)))
		return FLUSH_BAD;
	status = send_log(flush, path, false);
	if (subdomains)
		below = send_subdomains(flush, path);
	return status == FLUSH_OK ? below : status;
}

enum flush_status flush_send_file(struct flush *flush, const char *id)
{
	struct batch b = {.flush = flush};

	batch_add(&b, id);
	batch_send(&b);
	return FLUSH_OK;
}

enum flush_status flush_refresh(struct flush *flush, int max_age)
{
	struct walk w = {.flush = flush, .max_age = max_age, .now = time(NULL)};

	walk_folder(&w, "flush", 0);
	return w.status;
}
