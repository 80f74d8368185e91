/* SPDX-License-Identifier: ISC */
/*
 * Queue files for tests:
 *   fillqueue copy FILE COUNT DIR   writes COUNT copies of a queue file under new ids to DIR
 *                                   (DIR/X/ID, hashed as hash_queue_depth = 1 has it), with the
 *                                   file's modification time
 *   fillqueue newer FILE            makes FILE one of the next version
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/num.h"
#include "lib/queue/id.h"
#include "lib/queue/record.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { FILE_MAX = 1 << 20, AT_VERSION = 4, AT_CRC = 120 };

static unsigned char image[FILE_MAX];

static int fail(const char *what)
{
	fprintf(stderr, "fillqueue: %s: %s\n", what, strerror(errno));
	return 1;
}

static int newer(const char *path)
{
	unsigned char head[RECORD_HEAD];
	int fd = open(path, O_RDWR);

	if (fd < 0 || fd_pread_full(fd, head, sizeof(head), 0) != RECORD_HEAD)
		return fail(path);
	le_put16(head + AT_VERSION, RECORD_VERSION + 1);
	le_put32(head + AT_CRC, crc32c(0, head, AT_CRC));
	return fd_pwrite_all(fd, head, sizeof(head), 0) < 0 ? fail(path) : 0;
}

static int write_copy(const char *dir, const char *id, size_t len, const struct timespec times[2])
{
	char path[512], hash[8];
	int fd;

	if (!queue_id_hash_text(id, hash))
		return fail(id);
	snprintf(path, sizeof(path), "%s/%c", dir, hash[0]);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(path);
	snprintf(path, sizeof(path), "%s/%c/%s", dir, hash[0], id);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || fd_write_all(fd, image, len) < 0 || futimens(fd, times) < 0)
		return fail(path);
	close(fd);
	return 0;
}

static int copy(const char *from, long count, const char *dir)
{
	int64_t now = clock_wall_us();
	struct record_head head;
	struct stat st;
	ssize_t len;
	int fd = open(from, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (len = fd_pread_full(fd, image, sizeof(image), 0)) < RECORD_HEAD ||
	    record_head_decode(image, &head) != RECORD_VALID)
		return fail(from);
	for (long i = 0; i < count; i++) {
		const struct timespec times[2] = {st.st_mtim, st.st_mtim};

		queue_id_make(head.id, now - i * 17, (uint64_t)(0x40000 + i), false);
		record_head_encode(image, &head);
		if (write_copy(dir, head.id, (size_t)len, times) != 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "newer") == 0)
		return newer(argv[2]);
	if (argc == 5 && strcmp(argv[1], "copy") == 0)
		return copy(argv[2], atol(argv[3]), argv[4]);
	fprintf(stderr, "usage: fillqueue copy FILE COUNT DIR | newer FILE\n");
	return 1;
}
