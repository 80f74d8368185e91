/* SPDX-License-Identifier: ISC */
/* One lane as bytes: its head page, the walk after a crash, the check before it is recycled. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/crc32c.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/queue/journal.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/* Head page: magic, u32 version, u32 epoch, u64 size, u32 checksum of what stands before it. */
enum { HEAD_VERSION = 4, HEAD_EPOCH = 8, HEAD_SIZE = 12, HEAD_CRC = 20, HEAD_LEN = 24 };
static const char lane_magic[4] = {'P', 's', 't', 'J'};

uint32_t lane_new_epoch(void)
{
	uint32_t epoch;

	if (getrandom(&epoch, sizeof(epoch), GRND_NONBLOCK) != sizeof(epoch))
		epoch = (uint32_t)clock_wall_us();
	return epoch ? epoch : 1;
}

uint32_t lane_read_epoch(int fd)
{
	unsigned char head[HEAD_LEN];

	if (fd_pread_full(fd, head, sizeof(head), 0) != HEAD_LEN ||
	    memcmp(head, lane_magic, 4) != 0 || le_get32(head + HEAD_VERSION) != RECORD_VERSION ||
	    le_get32(head + HEAD_CRC) != crc32c(0, head, HEAD_CRC))
		return 0;
	return le_get32(head + HEAD_EPOCH);
}

int lane_write_epoch(int fd, uint32_t epoch, uint64_t size)
{
	unsigned char head[HEAD_LEN];

	memcpy(head, lane_magic, 4);
	le_put32(head + HEAD_VERSION, RECORD_VERSION);
	le_put32(head + HEAD_EPOCH, epoch);
	le_put64(head + HEAD_SIZE, size);
	le_put32(head + HEAD_CRC, crc32c(0, head, HEAD_CRC));
	return fd_pwrite_all(fd, head, sizeof(head), 0);
}

int lane_set_aside(int fd, int lane, uint64_t offset, uint64_t len, const char *id, const char *why)
{
	char path[128], buf[65536];
	int out;

	snprintf(path, sizeof(path), "corrupt/%s.lane%02x.%llu", id && *id ? id : "unknown",
	    (unsigned)lane, (unsigned long long)offset);
	log_warn("journal/%02x: %s at offset %llu: set aside as %s", (unsigned)lane, why,
	    (unsigned long long)offset, path);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		goto fail;
	while (len > 0) {
		size_t want = len < sizeof(buf) ? (size_t)len : sizeof(buf);
		ssize_t n = fd_pread_full(fd, buf, want, (off_t)offset);

		if (n <= 0 || fd_write_all(out, buf, (size_t)n) < 0)
			goto fail;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	if (fsync(out) < 0)
		goto fail;
	close(out);
	return 0;
fail:
	log_warn("%s: %s", path, strerror(errno));
	if (out >= 0)
		close(out);
	return -1;
}

int journal_fill_gap(int fd, uint32_t epoch, uint64_t offset, uint64_t len)
{
	struct record_head head = {.epoch = epoch, .id = "SETASIDE", .state = RECORD_DONE};
	unsigned char raw[RECORD_HEAD];

	must(len >= LANE_ALIGN);
	head.content_len = len - RECORD_HEAD;
	record_head_encode(raw, &head);
	return fd_pwrite_all(fd, raw, sizeof(raw), (off_t)offset);
}

/*
 * Whole, by all three checksums, within [at, size) of the lane image. A finished record was whole
 * once, and nobody needs its content (that of a filled gap never was a record's).
 */
static bool whole_at(
    const unsigned char *image, uint64_t at, uint64_t size, struct record_head *head)
{
	if (size - at < RECORD_HEAD || record_head_decode(image + at, head) != RECORD_VALID ||
	    record_len(head) > size - at)
		return false;
	if (head->state != RECORD_LIVE)
		return true;
	return crc32c(0, image + at + RECORD_HEAD, (size_t)head->content_len) ==
	           head->content_crc &&
	       crc32c(0, image + at + record_env_at(head), head->env_len) == head->env_crc;
}

/*
 * The epoch of a lane whose head page is damaged: that of its first whole record, for what an older
 * epoch left stands behind. (No look at all of them: a message may contain what looks like one.)
 */
static uint32_t first_epoch(const unsigned char *image, uint64_t size)
{
	struct record_head head;

	for (uint64_t at = LANE_HEAD; at + LANE_ALIGN <= size; at += LANE_ALIGN) {
		if (whole_at(image, at, size, &head) && head.epoch != 0)
			return head.epoch;
	}
	return 1;
}

static void report_torn(int fd, int lane, const unsigned char *image, uint64_t at, uint64_t size)
{
	struct record_head head;
	uint64_t len;

	if (size - at < RECORD_HEAD || record_head_decode(image + at, &head) != RECORD_VALID)
		return;
	len = record_len(&head) < size - at ? record_len(&head) : size - at;
	lane_set_aside(fd, lane, at, len, head.id,
	    "a message that was not completely received before the system went down");
}

int lane_recover(
    int fd, int lane, uint64_t size, uint32_t *epoch_out, uint64_t *tail_out, struct err *err)
{
	unsigned char *image = alloc((size_t)size);
	uint32_t epoch = lane_read_epoch(fd);
	uint64_t at = LANE_HEAD, tail = LANE_HEAD;
	struct record_head head;

	if (fd_pread_full(fd, image, (size_t)size, 0) != (ssize_t)size) {
		err_sys(err, "read journal/%02x", (unsigned)lane);
		free(image);
		return -1;
	}
	if (epoch == 0) {
		epoch = first_epoch(image, size);
		log_warn(
		    "journal/%02x: damaged head, going on with epoch %u", (unsigned)lane, epoch);
		if (lane_write_epoch(fd, epoch, size) < 0) {
			err_sys(err, "write journal/%02x", (unsigned)lane);
			free(image);
			return -1;
		}
	}
	while (at + LANE_ALIGN <= size) {
		if (whole_at(image, at, size, &head) && head.epoch == epoch) {
			at += lane_round(record_len(&head));
			tail = at;
		} else {
			at += LANE_ALIGN; /* damage in the middle must not hide what comes behind */
		}
	}
	if (tail < size && record_head_decode(image + tail, &head) == RECORD_VALID &&
	    head.epoch == epoch)
		report_torn(fd, lane, image, tail, size);
	free(image);
	*epoch_out = epoch;
	*tail_out = tail;
	return 0;
}

bool lane_all_finished(int fd, uint32_t epoch, uint64_t *from, uint64_t tail)
{
	while (*from < tail) {
		unsigned char raw[RECORD_HEAD];
		struct record_head head;

		if (fd_pread_full(fd, raw, sizeof(raw), (off_t)*from) != RECORD_HEAD ||
		    record_head_decode(raw, &head) != RECORD_VALID || head.epoch != epoch ||
		    head.state == RECORD_LIVE)
			return false; /* damage waits for qmgr's scan to set it aside */
		*from += lane_round(record_len(&head));
	}
	return !fd_range_is_locked(fd, LANE_HEAD, (off_t)(tail - LANE_HEAD));
}
