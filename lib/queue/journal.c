/* SPDX-License-Identifier: ISC */
/*
 * Appending. A writer tries the lane it used last, so that processes spread over the lanes and
 * stay there; a lane that another appends to or syncs is passed by. The lane's lock is held while a
 * record is appended, and no longer: when every lane is busy its writer shares one, rather than
 * wait for a sync that is not his (a hundred who wait for the next in line are what a slow answer
 * is made of). Who had to share makes another lane (up to journal_lane_count) when no client waits
 * for him any more. When every lane is full, one is made at once; then the message becomes a file.
 *
 * Three small reads guard against an index (journal_index.h) that was removed or replaced under
 * running processes: the lane's epoch, the index entry, and that no record of this epoch stands at
 * the tail.
 */
#include "lib/queue/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/queue/journal_index.h"
#include "lib/sys/fd.h"

struct lane {
	int fd; /* -1: not open */
	uint64_t size;
	uint32_t live_epoch; /* first_live belongs to this epoch */
	uint64_t first_live; /* all records before it are finished */
};

struct journal {
	const struct queue_params *params;
	int index_fd; /* -1: could not be opened; every append then recovers the lane */
	int last;
	int count;    /* lanes known to exist; others may have made more */
	bool crowded; /* a lane had to be shared since journal_tend() */
	struct lane lanes[LANES_MAX];
};

struct journal *journal_new(const struct queue_params *params)
{
	struct journal *journal = alloc_zero(1, sizeof(*journal));

	journal->params = params;
	journal->count = lane_highest() + 1;
	journal->last = (int)(getpid() % LANES_MAX);
	for (int i = 0; i < LANES_MAX; i++)
		journal->lanes[i].fd = -1;
	journal->index_fd = journal_index_open();
	return journal;
}

void journal_free(struct journal **journal)
{
	if (!*journal)
		return;
	for (int i = 0; i < LANES_MAX; i++)
		fd_close(&(*journal)->lanes[i].fd);
	fd_close(&(*journal)->index_fd);
	free(*journal);
	*journal = NULL;
}

int journal_fd(struct journal *journal, int lane, struct err *err)
{
	struct stat st;
	char path[LANE_PATH_MAX];
	int fd;

	if (lane < 0 || lane >= LANES_MAX)
		return err_set(err, EINVAL, "no lane %d", lane);
	if (journal->lanes[lane].fd >= 0)
		return journal->lanes[lane].fd;
	lane_path(path, lane);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < LANE_HEAD) {
		close(fd);
		return err_set(err, EINVAL, "%s is no journal lane", path);
	}
	journal->lanes[lane].size = (uint64_t)st.st_size;
	journal->lanes[lane].fd = fd;
	return fd;
}

int journal_count(struct journal *journal)
{
	char path[LANE_PATH_MAX];

	while (journal->count < LANES_MAX) {
		lane_path(path, journal->count);
		if (access(path, F_OK) < 0)
			break;
		journal->count++;
	}
	return journal->count;
}

static bool record_stands_at(int fd, uint32_t epoch, uint64_t at)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head head;

	return fd_pread_full(fd, raw, sizeof(raw), (off_t)at) == RECORD_HEAD &&
	       record_head_decode(raw, &head) == RECORD_VALID && head.epoch == epoch;
}

/* With the lane locked: its epoch and where the next record goes. */
static int find_tail(
    struct journal *journal, int lane, uint32_t *epoch_out, uint64_t *tail_out, struct err *err)
{
	struct lane *l = &journal->lanes[lane];
	uint32_t epoch = lane_read_epoch(l->fd);

	if (epoch != 0 && journal_index_get(journal->index_fd, lane, epoch_out, tail_out) &&
	    *epoch_out == epoch && *tail_out >= LANE_HEAD && *tail_out <= l->size &&
	    !record_stands_at(l->fd, epoch, *tail_out))
		return 0;
	if (lane_recover(l->fd, lane, l->size, epoch_out, tail_out, err) < 0)
		return -1;
	journal_index_put(journal->index_fd, lane, *epoch_out, *tail_out);
	return 0;
}

/* All records are finished: the lane begins anew under the next epoch. */
static bool recycle(struct journal *journal, int lane, uint32_t *epoch, uint64_t *tail)
{
	struct lane *l = &journal->lanes[lane];
	uint32_t next = *epoch + 1 ? *epoch + 1 : 1;

	if (l->live_epoch != *epoch) {
		l->live_epoch = *epoch;
		l->first_live = LANE_HEAD;
	}
	if (!lane_all_finished(l->fd, *epoch, &l->first_live, *tail))
		return false;
	if (lane_write_epoch(l->fd, next, l->size) < 0) {
		log_warn(
		    "journal/%02x: cannot begin a new epoch: %s", (unsigned)lane, strerror(errno));
		return false;
	}
	*epoch = next;
	*tail = LANE_HEAD;
	return true;
}

static int write_record(int fd, struct record_parts *parts, uint64_t tail)
{
	static const char padding[LANE_ALIGN];
	unsigned char head[RECORD_HEAD];
	uint64_t len = record_len(&parts->head);
	struct iovec iov[5];
	size_t total = (size_t)lane_round(len);
	const void *const data[5] = {head, parts->content, parts->status, parts->env, padding};
	const size_t lens[5] = {RECORD_HEAD, (size_t)parts->head.content_len,
	    parts->head.rcpt_count, parts->head.env_len, total - (size_t)len};
	ssize_t n;

	record_head_encode(head, &parts->head);
	for (int i = 0; i < 5; i++) {
		memcpy(&iov[i].iov_base, &data[i], sizeof(void *)); /* iovec is not const-correct */
		iov[i].iov_len = lens[i];
	}
	do {
		n = pwritev(fd, iov, 5, (off_t)tail);
	} while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n != total)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == total ? 0 : -1;
}

/*
 * What was being appended gets another home, or its sender is told "not now": it must not be found
 * later as if it had been taken. A short write may have written a whole record and no padding.
 */
static void wipe_record(int fd, uint64_t at)
{
	static const char nothing[RECORD_HEAD];

	for (int i = 0; i < 3; i++) {
		if (fd_pwrite_all(fd, nothing, sizeof(nothing), (off_t)at) == 0)
			return;
	}
}

static bool is_at(int fd, const struct location *loc)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head head;

	return lane_read_epoch(fd) == loc->epoch &&
	       fd_pread_full(fd, raw, sizeof(raw), (off_t)loc->offset) == RECORD_HEAD &&
	       record_head_decode(raw, &head) == RECORD_VALID && head.epoch == loc->epoch;
}

/*
 * The same for what others may have seen and appended behind: it is finished. (Whoever found and
 * delivered it meanwhile has made room for a new epoch.)
 */
static void disown_record(int fd, const struct location *loc)
{
	const char done = RECORD_DONE;
	off_t state_at = (off_t)loc->offset + RECORD_STATE_AT;

	if (fd_lock(fd, true) < 0)
		return;
	if (fd_lock_range(fd, state_at, 1, true) == 0) {
		for (int i = 0; i < 3 && is_at(fd, loc); i++) {
			if (fd_pwrite_all(fd, &done, 1, state_at) == 0)
				break;
		}
		fd_unlock_range(fd, state_at, 1);
	}
	fd_unlock(fd);
}

/* 0 appended, 1 no room here, -1 trouble with this lane (logged). The lane is locked. */
static int append_locked(
    struct journal *journal, int lane, struct record_parts *parts, struct location *loc_out)
{
	struct lane *l = &journal->lanes[lane];
	uint64_t need = lane_round(record_len(&parts->head)), tail;
	struct err err;
	uint32_t epoch;

	if (find_tail(journal, lane, &epoch, &tail, &err) < 0) {
		log_warn("journal/%02x: %s", (unsigned)lane, err.text);
		return -1;
	}
	if (need > l->size - tail &&
	    (need > l->size - LANE_HEAD || !recycle(journal, lane, &epoch, &tail)))
		return 1;
	parts->head.epoch = epoch;
	if (write_record(l->fd, parts, tail) < 0) {
		log_warn("journal/%02x: write at %llu: %s", (unsigned)lane,
		    (unsigned long long)tail, strerror(errno));
		wipe_record(l->fd, tail);
		return -1;
	}
	if (journal_index_put(journal->index_fd, lane, epoch, tail + need) < 0) {
		/* the record is whole; without its index entry the next writer finds it there */
		log_warn("write journal/index: %s", strerror(errno));
	}
	*loc_out = (struct location){.lane = lane, .epoch = epoch, .offset = tail};
	return 0;
}

/* One process at a time makes lanes (the index file's lock); the others go on with what is there.
 */
static bool add_lane(struct journal *journal, int count)
{
	uint64_t size = (uint64_t)journal->params->journal_lane_size & ~(uint64_t)(LANE_HEAD - 1);
	uint32_t epoch = lane_new_epoch();
	bool made;

	if (count >= journal->params->journal_lane_count || count >= LANES_MAX ||
	    journal->index_fd < 0 || fd_lock(journal->index_fd, false) != 0)
		return false;
	/* the first writer need not look through all of it for its end */
	journal_index_put(journal->index_fd, count, epoch, LANE_HEAD);
	made = lane_make(count, size, epoch) == 0;
	fd_unlock(journal->index_fd);
	return made || journal_fd(journal, count, NULL) >= 0;
}

/* How much a writer puts up with. */
enum share {
	SHARE_NO,   /* only a lane that nobody appends to or syncs */
	SHARE_SYNC, /* also one that others sync */
	SHARE_ALL,  /* also one that another appends to: after him */
};

/* 0 appended and synced, 1 not: full, broken or, with *busy set, in use. */
static int try_lane(struct journal *journal, int lane, enum share share, bool *busy,
    struct record_parts *parts, struct location *loc_out)
{
	int fd = journal_fd(journal, lane, NULL), locked, rc = -1;
	bool alone = share == SHARE_NO;

	if (fd < 0)
		return 1;
	locked = alone ? fd_lock_range(fd, LANE_BUSY_AT, 1, false) : 0;
	if (locked == 0) {
		locked = fd_lock(fd, share == SHARE_ALL);
		if (locked == 0) {
			rc = append_locked(journal, lane, parts, loc_out);
			fd_unlock(fd);
		}
		if (rc == 0 && fdatasync(fd) < 0) {
			log_warn("journal/%02x: sync: %s", (unsigned)lane, strerror(errno));
			disown_record(fd, loc_out);
			rc = -1;
		}
		if (alone)
			fd_unlock_range(fd, LANE_BUSY_AT, 1);
	}
	*busy |= locked == 1;
	if (rc == 0)
		journal->last = lane;
	return rc == 0 ? 0 : 1;
}

static int try_lanes(struct journal *journal, enum share share, bool *busy,
    struct record_parts *parts, struct location *loc_out)
{
	int count = journal->count;

	for (int i = 0; i < count; i++) {
		if (try_lane(journal, (journal->last + i) % count, share, busy, parts, loc_out) ==
		    0)
			return 0;
	}
	/* only now it pays to look for lanes that others have made */
	for (int i = count; i < journal_count(journal); i++) {
		if (try_lane(journal, i, share, busy, parts, loc_out) == 0)
			return 0;
	}
	return 1;
}

int journal_append(struct journal *journal, struct record_parts *parts, struct location *loc_out)
{
	bool busy = false;
	int count;

	if (try_lanes(journal, SHARE_NO, &busy, parts, loc_out) == 0)
		return 0;
	if (busy && try_lanes(journal, SHARE_SYNC, &busy, parts, loc_out) == 0) {
		journal->crowded = true;
		return 0;
	}
	count = journal->count;
	if (add_lane(journal, count) &&
	    try_lane(journal, count, SHARE_ALL, &busy, parts, loc_out) == 0)
		return 0;
	return busy ? try_lanes(journal, SHARE_ALL, &busy, parts, loc_out) : 1;
}

void journal_tend(struct journal *journal)
{
	if (journal->crowded)
		add_lane(journal, journal_count(journal));
	journal->crowded = false;
}

int journal_walk(struct journal *journal, int lane, journal_walk_fn *fn, void *arg, struct err *err)
{
	int fd = journal_fd(journal, lane, err);
	uint32_t epoch;
	uint64_t at = LANE_HEAD, tail, gap = 0;
	bool go_on = true;
	int rc;

	if (fd < 0)
		return err && err->code == ENOENT ? 0 : -1;
	if (fd_lock(fd, true) < 0)
		return err_sys(err, "lock journal/%02x", (unsigned)lane);
	rc = find_tail(journal, lane, &epoch, &tail, err);
	while (rc == 0 && go_on && at < tail) {
		unsigned char raw[RECORD_HEAD];
		struct record_head head;
		uint64_t len;

		if (fd_pread_full(fd, raw, sizeof(raw), (off_t)at) != RECORD_HEAD)
			break;
		if (record_head_decode(raw, &head) != RECORD_VALID || head.epoch != epoch ||
		    lane_round(record_len(&head)) > tail - at) {
			gap = gap ? gap : at;
			at += LANE_ALIGN;
			continue;
		}
		if (gap)
			go_on = fn(arg, fd, gap, at - gap, NULL);
		gap = 0;
		len = lane_round(record_len(&head));
		if (go_on)
			go_on = fn(arg, fd, at, len, &head);
		at += len;
	}
	if (rc == 0 && go_on && gap)
		fn(arg, fd, gap, tail - gap, NULL);
	fd_unlock(fd);
	return rc;
}
