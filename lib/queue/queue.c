/* SPDX-License-Identifier: ISC */
/* The process's handle on the queue: directories, paths, ids, free space. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/queue/internal.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

const struct queue_dir queue_dirs[] = {
    {"active", 0700, false, false},
    {"bounce", 0700, false, false},
    {"corrupt", 0700, false, false},
    {"defer", 0700, false, false},
    {"deferred", 0700, false, false},
    {"flush", 0700, false, false},
    {"hold", 0700, false, false},
    {"incoming", 0700, false, false},
    {"journal", 0700, false, false},
    {"maildrop", 01730, false, true},
    {"pid", 0755, true, false},
    {"private", 0700, false, false},
    {"public", 02710, false, true},
    {"saved", 0700, false, false},
    {"trace", 0700, false, false},
};
const size_t queue_dir_count = ARRAY_LEN(queue_dirs);

static void parse_hashed(struct queue *queue, const char *names)
{
	while (*names && queue->hashed_count < ARRAY_LEN(queue->hashed)) {
		size_t skip = strspn(names, ", \t"), len = strcspn(names + skip, ", \t");

		if (len > 0 && len < sizeof(queue->hashed[0]))
			snprintf(queue->hashed[queue->hashed_count++], sizeof(queue->hashed[0]),
			    "%.*s", (int)len, names + skip);
		names += skip + len;
	}
}

int queue_open(
    const struct queue_params *params, bool long_ids, struct queue **queue_out, struct err *err)
{
	struct queue *queue;

	if (access("incoming", W_OK | X_OK) < 0)
		return err_sys(err, "queue directory \"incoming\" is not usable");
	queue = alloc_zero(1, sizeof(*queue));
	queue->params = params;
	queue->long_ids = long_ids;
	if (getrandom(&queue->counter, sizeof(queue->counter), GRND_NONBLOCK) < 0)
		queue->counter = (uint32_t)clock_wall_us();
	parse_hashed(queue, params->hash_queue_names);
	queue->journal = journal_new(params);
	*queue_out = queue;
	return 0;
}

void queue_trim(struct queue *queue)
{
	str_fini(&queue->spare);
	str_fini(&queue->env);
}

void queue_tend(struct queue *queue)
{
	journal_tend(queue->journal);
}

void queue_close(struct queue **queue)
{
	if (!*queue)
		return;
	journal_free(&(*queue)->journal);
	str_fini(&(*queue)->spare);
	str_fini(&(*queue)->env);
	free(*queue);
	*queue = NULL;
}

/* The process id keeps the numbers of two processes apart, the counter those of one. */
void queue_new_id(struct queue *queue, char out[QUEUE_ID_MAX])
{
	uint64_t number = (uint64_t)(++queue->counter & 0xffff) << 22 | (uint32_t)getpid();

	queue_id_make(out, clock_wall_us(), number, queue->long_ids);
}

bool queue_dir_is_hashed(const struct queue *queue, const char *dir)
{
	for (size_t i = 0; i < queue->hashed_count; i++) {
		if (strcmp(queue->hashed[i], dir) == 0)
			return true;
	}
	return false;
}

int queue_hash_depth(const struct queue *queue, const char *dir)
{
	return queue_dir_is_hashed(queue, dir) ? queue->params->hash_queue_depth : 0;
}

void queue_path(const struct queue *queue, const char *dir, const char *id, char *out, size_t size)
{
	char hash[8], middle[16] = "";

	if (queue_dir_is_hashed(queue, dir) && queue_id_hash_text(id, hash)) {
		for (int i = 0; i < queue->params->hash_queue_depth && hash[i]; i++) {
			middle[2 * i] = hash[i];
			middle[2 * i + 1] = '/';
			middle[2 * i + 2] = '\0';
		}
	}
	snprintf(out, size, "%s/%s%s", dir, middle, id);
}

int queue_make_parent(const struct queue *queue, const char *dir, const char *id)
{
	char path[256], *slash;

	queue_path(queue, dir, id, path, sizeof(path));
	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		int made;

		*slash = '\0';
		made = mkdir(path, 0700);
		if (made < 0 && errno != EEXIST)
			return -1;
		/* what is named in it must not be lost with it */
		if (made == 0 && strchr(path, '/') && queue_sync_dir_of(path) < 0)
			return -1;
		*slash = '/';
	}
	return 0;
}

int queue_sync_dir_of(const char *path)
{
	char parent[256];
	int fd, rc;

	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

bool queue_has_room(int64_t need, struct err *err)
{
	struct statvfs fs;

	if (statvfs(".", &fs) < 0) {
		err_sys(err, "statvfs of the queue directory");
		return false;
	}
	if ((uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)need) {
		err_set(err, ENOSPC, "not enough free space in mail queue: %llu bytes < %lld",
		    (unsigned long long)fs.f_bavail * fs.f_frsize, (long long)need);
		return false;
	}
	if (fs.f_files > 0 && fs.f_favail < 10) {
		err_set(err, ENOSPC, "not enough free inodes in mail queue");
		return false;
	}
	return true;
}
