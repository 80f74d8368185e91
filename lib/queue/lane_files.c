/* SPDX-License-Identifier: ISC */
/* Lanes as files: their names, which there are, and how one is made. */
#include "lib/queue/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/fd.h"

void lane_path(char out[LANE_PATH_MAX], int lane)
{
	snprintf(out, LANE_PATH_MAX, "journal/%02x", (unsigned)lane);
}

int lane_highest(void)
{
	DIR *dir = opendir("journal");
	const struct dirent *entry;
	int highest = -1;

	while (dir && (entry = readdir(dir))) {
		unsigned lane;
		char path[LANE_PATH_MAX];

		if (sscanf(entry->d_name, "%2x", &lane) != 1 || lane >= LANES_MAX)
			continue;
		lane_path(path, (int)lane);
		if (strcmp(path + strlen("journal/"), entry->d_name) == 0 && (int)lane > highest)
			highest = (int)lane;
	}
	if (dir)
		closedir(dir);
	return highest;
}

/* What makers of lanes that died have left: there is only one at a time (lane_make). */
static void remove_leftovers(void)
{
	DIR *dir = opendir("journal");
	struct dirent *entry;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "tmp.", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "journal/%s", entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
}

int lane_make(int lane, uint64_t size, uint32_t epoch)
{
	static const char zeros[65536];
	char path[LANE_PATH_MAX], temp[64];
	int fd, dir, synced;

	remove_leftovers();
	lane_path(path, lane);
	snprintf(temp, sizeof(temp), "journal/tmp.%d", (int)getpid());
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (posix_fallocate(fd, 0, (off_t)size) != 0)
		goto fail;
	for (uint64_t at = 0; at < size; at += sizeof(zeros)) {
		size_t n = size - at < sizeof(zeros) ? (size_t)(size - at) : sizeof(zeros);

		if (fd_pwrite_all(fd, zeros, n, (off_t)at) < 0)
			goto fail;
	}
	/* locked until its name is durable: a record in a lane whose name is lost would be lost */
	if (fd_lock(fd, true) < 0 || lane_write_epoch(fd, epoch, size) < 0 || fsync(fd) < 0 ||
	    link(temp, path) < 0)
		goto fail;
	unlink(temp);
	dir = open("journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	synced = dir < 0 ? -1 : fsync(dir);
	if (synced < 0)
		unlink(path);
	fd_close(&dir);
	close(fd);
	return synced;
fail:
	unlink(temp);
	close(fd);
	return -1;
}
