/* SPDX-License-Identifier: ISC */
/*
 * Has a message of this id ever been in the queue? A record in a lane is seen until the lane begins
 * anew. A file is gone when it has been delivered; by a second name of it, which its writer has
 * kept, its status bytes tell that it was there under its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/queue/internal.h"
#include "lib/sys/fd.h"

struct trail {
	const char *id;
	bool found;
};

static bool is_trail(
    void *arg, int fd, uint64_t offset, uint64_t len, const struct record_head *head)
{
	struct trail *trail = arg;

	(void)fd;
	(void)offset;
	(void)len;
	trail->found = head && strcmp(head->id, trail->id) == 0;
	return !trail->found;
}

/* Whole, and somebody has finished a recipient of it. */
static bool is_worked_at(int fd)
{
	unsigned char raw[RECORD_HEAD], status;
	struct record_head head;

	if (fd_pread_full(fd, raw, sizeof(raw), 0) != RECORD_HEAD ||
	    record_head_decode(raw, &head) != RECORD_VALID)
		return false;
	for (uint32_t i = 0; i < head.rcpt_count; i++) {
		if (fd_pread_full(fd, &status, 1, (off_t)(record_status_at(&head) + i)) == 1 &&
		    (status == RCPT_DONE || status == RCPT_BOUNCED))
			return true;
	}
	return false;
}

static bool second_name_tells(const char *id)
{
	char path[QUEUE_TEMP_MAX];
	struct stat st;
	bool tells;
	int fd;

	queue_temp_path(path, id);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	tells = fstat(fd, &st) == 0 && (st.st_nlink > 1 || is_worked_at(fd));
	close(fd);
	return tells;
}

int queue_has_had(struct queue *queue, const char *id, struct err *err)
{
	/* in the order in which a file moves on; one that is tried again meanwhile goes back */
	static const char *const dirs[] = {"incoming", "active", "deferred", "hold", "active"};
	struct trail trail = {.id = id};
	int count = journal_count(queue->journal);
	char path[256];

	if (!queue_id_valid(id))
		return err_set(err, EINVAL, "\"%s\" is no queue id", id);
	for (int lane = 0; lane < count && !trail.found; lane++) {
		if (journal_walk(queue->journal, lane, is_trail, &trail, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs) && !trail.found; i++) {
		queue_path(queue, dirs[i], id, path, sizeof(path));
		trail.found = access(path, F_OK) == 0;
	}
	return trail.found || second_name_tells(id);
}

void queue_drop_second_name(const char *id)
{
	char path[QUEUE_TEMP_MAX];

	queue_temp_path(path, id);
	unlink(path);
}
