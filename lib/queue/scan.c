/* SPDX-License-Identifier: ISC */
/* Finding messages: the journal's lanes, the directories, one message by its id. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/queue/internal.h"

struct journal_scan {
	struct queue *queue;
	int lane;
	int what;
	queue_scan_fn *fn;
	void *arg;
	bool stopped;
};

/* Damage in a lane: kept in corrupt/, reported, and finished, so that the lane can be recycled. */
static void give_up_record(struct journal_scan *scan, int fd, uint64_t offset, uint64_t len,
    const struct record_head *head, const char *why)
{
	if (lane_set_aside(fd, scan->lane, offset, len, head ? head->id : NULL, why) < 0)
		return; /* it stays; the next scan tries again */
	journal_fill_gap(fd, lane_read_epoch(fd), offset, len);
}

static bool journal_record(
    void *arg, int fd, uint64_t offset, uint64_t len, const struct record_head *head)
{
	struct journal_scan *scan = arg;
	struct scan_item item = {
	    .loc = {.lane = scan->lane, .epoch = head ? head->epoch : 0, .offset = offset},
	    .id = head ? head->id : NULL,
	};
	struct message m;
	struct err err;
	int rc;

	if (!head) {
		give_up_record(scan, fd, offset, len, NULL, "damaged records");
		return true;
	}
	if (head->state != RECORD_LIVE)
		return true;
	rc = message_open(
	    scan->queue, &item.loc, head->id, scan->what ? scan->what : MESSAGE_ENVELOPE, &m, &err);
	if (rc < 0 && message_is_damaged(&err))
		give_up_record(scan, fd, offset, len, head, err.text);
	else if (rc < 0)
		log_warn("journal/%02x: %s: %s", (unsigned)scan->lane, head->id, err.text);
	if (rc == 0) {
		item.m = &m;
		scan->stopped = !scan->fn(scan->arg, &item);
		message_close(&m);
	}
	return !scan->stopped;
}

int queue_scan_journal(struct queue *queue, int what, queue_scan_fn *fn, void *arg, struct err *err)
{
	struct journal_scan scan = {.queue = queue, .what = what, .fn = fn, .arg = arg};
	int count = journal_count(queue->journal), worst = 0;

	for (; scan.lane < count && !scan.stopped; scan.lane++) {
		if (journal_walk(queue->journal, scan.lane, journal_record, &scan, err) < 0)
			worst = -1;
	}
	return worst;
}

/*
 * A file is looked for where hash_queue_names and hash_queue_depth say; after a change of these it
 * is put there when it is found elsewhere. False: it cannot be.
 */
static bool put_in_place(struct queue *queue, const char *path, const char *dir, const char *name)
{
	char want[256];

	queue_path(queue, dir, name, want, sizeof(want));
	if (strcmp(path, want) == 0)
		return true;
	if (access(want, F_OK) == 0 || queue_make_parent(queue, dir, name) < 0 ||
	    rename(path, want) < 0) {
		if (access(path, F_OK) == 0)
			log_warn("%s cannot be put into its place as %s", path, want);
		return false;
	}
	log_info("renamed file %s as %s", path, want);
	return true;
}

/* One file. Leftovers of writers that died (tmp.*) and editor's files are no ids. */
static bool scan_file(struct queue *queue, const char *path, const char *dir,
    const struct dirent *entry, int what, queue_scan_fn *fn, void *arg)
{
	const char *name = entry->d_name;
	struct scan_item item = {.loc = {.lane = -1}, .id = name};
	struct message m;
	struct stat st = {.st_mode = S_IFREG};
	struct err err;
	bool go_on;
	int rc;

	if (!queue_id_valid(name))
		return true;
	/* what is opened gives its times then */
	if ((!what || entry->d_type != DT_REG) && lstat(path, &st) < 0)
		return true;
	if (!S_ISREG(st.st_mode) || !put_in_place(queue, path, dir, name))
		return true;
	snprintf(item.loc.dir, sizeof(item.loc.dir), "%s", dir);
	item.retry_at = st.st_mtime;
	if (!what || what == MESSAGE_NAME)
		return fn(arg, &item);
	rc = message_open(queue, &item.loc, name, what, &m, &err);
	if (rc == 1)
		return true;
	if (rc == 0) {
		item.m = &m;
		item.retry_at = m.mtime;
	} else {
		item.err = &err;
	}
	go_on = fn(arg, &item);
	if (rc == 0)
		message_close(&m);
	return go_on;
}

/* What a symbolic link in a folder of the queue points at is not the queue's. */
static DIR *open_folder(const char *path)
{
	int nofollow = strchr(path, '/') ? O_NOFOLLOW : 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
	DIR *handle = fd >= 0 ? fdopendir(fd) : NULL;

	if (!handle && fd >= 0)
		close(fd);
	return handle;
}

/* 1: all of it, 0: stopped by the callback, -1: error. */
static int scan_folder(struct queue *queue, const char *path, int depth, const char *dir, int what,
    queue_scan_fn *fn, void *arg, struct err *err)
{
	DIR *handle = open_folder(path);
	struct dirent *entry;
	int rc = 1;

	if (!handle && depth > 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
		return 1;
	if (!handle)
		return err_sys(err, "open directory %s", path);
	while (rc == 1 && (entry = readdir(handle))) {
		char child[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (strlen(entry->d_name) == 1)
			rc = depth < 3
			         ? scan_folder(queue, child, depth + 1, dir, what, fn, arg, err)
			         : 1;
		else
			rc = scan_file(queue, child, dir, entry, what, fn, arg);
	}
	closedir(handle);
	return rc;
}

int queue_scan_dir(
    struct queue *queue, const char *dir, int what, queue_scan_fn *fn, void *arg, struct err *err)
{
	return scan_folder(queue, dir, 0, dir, what, fn, arg, err) < 0 ? -1 : 0;
}

int queue_scan_slice(
    struct queue *queue, const char *dir, int slice, queue_scan_fn *fn, void *arg, struct err *err)
{
	static const char hash[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char path[64];

	if (slice == 0)
		return scan_folder(queue, dir, 3, dir, 0, fn, arg, err) < 0 ? -1 : 0;
	snprintf(path, sizeof(path), "%s/%c", dir, hash[slice - 1]);
	return scan_folder(queue, path, 1, dir, 0, fn, arg, err) < 0 ? -1 : 0;
}

struct find {
	const char *id;
	struct location loc;
	bool found;
};

static bool find_in_journal(void *arg, const struct scan_item *item)
{
	struct find *find = arg;

	find->found = strcmp(item->id, find->id) == 0;
	if (find->found)
		find->loc = item->loc;
	return !find->found;
}

int message_find(struct queue *queue, const char *id, int what, struct message *m, struct err *err)
{
	static const char *const dirs[] = {"deferred", "active", "incoming", "hold"};
	struct find find = {.id = id};

	if (!queue_id_valid(id))
		return err_set(err, EINVAL, "\"%s\" is no queue id", id);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct location loc = {.lane = -1};
		int rc;

		snprintf(loc.dir, sizeof(loc.dir), "%s", dirs[i]);
		rc = message_open(queue, &loc, id, what, m, err);
		if (rc != 1)
			return rc;
	}
	if (queue_scan_journal(queue, MESSAGE_ENVELOPE, find_in_journal, &find, err) < 0)
		return -1;
	return find.found ? message_open(queue, &find.loc, id, what, m, err) : 1;
}
