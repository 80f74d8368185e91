/* SPDX-License-Identifier: ISC */
#include "lib/queue/journal_index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/queue/journal.h"
#include "lib/sys/fd.h"

#define INDEX_PATH "journal/index"
enum { INDEX_BOOT = 64, INDEX_AT = 64 };

static void read_boot_id(char out[INDEX_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(out, 0, INDEX_BOOT);
	if (fd >= 0) {
		if (read(fd, out, INDEX_BOOT - 1) < 0)
			out[0] = '\0';
		close(fd);
	}
}

int journal_index_open(void)
{
	char boot[INDEX_BOOT], have[INDEX_BOOT] = {0};
	unsigned char zeros[LANES_MAX * 8] = {0};
	int fd = open(INDEX_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fd;
	read_boot_id(boot);
	if (fd_lock(fd, true) < 0)
		return fd;
	fd_pread_full(fd, have, sizeof(have), 0);
	if (boot[0] == '\0' || memcmp(boot, have, sizeof(boot)) != 0) {
		if (fd_pwrite_all(fd, zeros, sizeof(zeros), INDEX_AT) < 0 ||
		    fd_pwrite_all(fd, boot, sizeof(boot), 0) < 0)
			log_warn("write %s: %s", INDEX_PATH, strerror(errno));
	}
	fd_unlock(fd);
	return fd;
}

bool journal_index_get(int fd, int lane, uint32_t *epoch_out, uint64_t *tail_out)
{
	unsigned char entry[8];
	uint64_t value;

	if (fd < 0 || fd_pread_full(fd, entry, 8, INDEX_AT + lane * 8) != 8)
		return false;
	value = le_get64(entry);
	*epoch_out = (uint32_t)(value >> 32);
	*tail_out = (value & 0xffffffffu) * LANE_ALIGN;
	return value != 0;
}

int journal_index_put(int fd, int lane, uint32_t epoch, uint64_t tail)
{
	unsigned char entry[8];

	le_put64(entry, (uint64_t)epoch << 32 | (uint32_t)(tail / LANE_ALIGN));
	return fd < 0 ? -1 : fd_pwrite_all(fd, entry, 8, INDEX_AT + lane * 8);
}
