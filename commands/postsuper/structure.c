/* SPDX-License-Identifier: ISC */
/* Files in their places (after a change of hash_queue_names) and no leftovers of crashes. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"

enum { PATH_SIZE = 512, DEPTH_MAX = 4, LEFTOVER_AGE = 24 * 3600 };

struct walk {
	struct postsuper *p;
	const char *dir; /* the queue's name */
	void (*file)(struct walk *w, const char *path, const char *name);
	bool prune;        /* remove empty sub-directories */
	struct map *names; /* of all messages; NULL: not looked for yet */
};

static void walk(struct walk *w, const char *path, int depth)
{
	DIR *handle = opendir(path);
	struct dirent *entry;

	if (!handle) {
		log_warn("open directory %s: %s", path, strerror(errno));
		return;
	}
	while ((entry = readdir(handle))) {
		char child[PATH_SIZE];
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) >=
		        (int)sizeof(child) ||
		    lstat(child, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			walk(w, child, depth + 1);
			if (w->prune && rmdir(child) < 0 && errno != ENOTEMPTY && errno != EEXIST &&
			    errno != ENOENT)
				log_warn("remove subdirectory %s: %s", child, strerror(errno));
		} else if (S_ISREG(st.st_mode)) {
			w->file(w, child, entry->d_name);
		}
	}
	closedir(handle);
}

static int make_parents(char *path)
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0700);
		*slash = '/';
		if (rc < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static void place_file(struct walk *w, const char *path, const char *name)
{
	char want[PATH_SIZE];
	struct stat st;

	if (!queue_id_valid(name))
		return;
	queue_path(w->p->queue, w->dir, name, want, sizeof(want));
	if (strcmp(path, want) == 0)
		return;
	if (lstat(want, &st) == 0)
		log_warn("rename file %s as %s: %s", path, want, strerror(EEXIST));
	else if (make_parents(want) < 0 || rename(path, want) < 0)
		log_warn("rename file %s as %s: %s", path, want, strerror(errno));
	else
		log_info("renamed file %s as %s", path, want);
}

static void note_name(struct walk *w, const char *path, const char *name)
{
	(void)path;
	map_put(w->names, name, w->names);
}

/* Messages, whether their files are in their places or not. */
static struct map *names_in_queue(struct postsuper *p)
{
	static const char *const dirs[] = {"deferred", "active", "incoming", "hold"};
	struct map *names = map_new();

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct walk w = {.p = p, .dir = dirs[i], .file = note_name, .names = names};

		walk(&w, dirs[i], 0);
	}
	return names;
}

static bool is_log(const char *dir)
{
	return strcmp(dir, "bounce") == 0 || strcmp(dir, "defer") == 0 || strcmp(dir, "trace") == 0;
}

/* The log of a message that is no more: a crash, or an operator, came in between. */
static bool is_orphan(struct walk *w, const char *name)
{
	struct location loc;

	if (!is_log(w->dir))
		return false;
	if (!w->names)
		w->names = names_in_queue(w->p);
	return !map_get(w->names, name) && !find_message(w->p, IN_QUEUE, name, false, &loc);
}

static void purge_file(struct walk *w, const char *path, const char *name)
{
	bool maildrop = strcmp(w->dir, "maildrop") == 0;
	struct stat st;

	if (lstat(path, &st) < 0 || st.st_mtime > time(NULL) - LEFTOVER_AGE)
		return;
	/* in maildrop a file without its x bit was never finished, whatever its name */
	if (queue_id_valid(name) && !(maildrop && !(st.st_mode & S_IXUSR)) && !is_orphan(w, name))
		return;
	if (unlink(path) == 0)
		log_info("removed file %s", path);
	else if (errno != ENOENT)
		log_warn("remove file %s: %s", path, strerror(errno));
}

static void each(struct postsuper *p, const char *const *dirs, bool prune,
    void (*file)(struct walk *w, const char *path, const char *name))
{
	for (; *dirs; dirs++) {
		struct walk w = {.p = p, .dir = *dirs, .file = file, .prune = prune};

		walk(&w, *dirs, 0);
		map_free(&w.names, NULL);
	}
}

void structure_check(struct postsuper *p, const char *const *dirs)
{
	each(p, dirs, true, place_file);
}

void structure_purge(struct postsuper *p, const char *const *dirs)
{
	for (const char *const *dir = dirs; *dir; dir++) {
		if (queue_dir_is_hashed(p->queue, *dir))
			wipe_leftovers(p, *dir);
	}
	each(p, dirs, false, purge_file);
}
