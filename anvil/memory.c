/* SPDX-License-Identifier: ISC */
#include "anvil/anvil.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/sys/fd.h"

int shared_table_make(struct shared_table *t, const char *name, size_t capacity, struct err *err)
{
	uint64_t seed = 0;
	void *memory;

	t->size = counters_size(capacity);
	t->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (t->fd < 0 || ftruncate(t->fd, (off_t)t->size) < 0 ||
	    fcntl(t->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return err_sys(err, "memory for %s", name);
	memory = mmap(NULL, t->size, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	if (memory == MAP_FAILED)
		return err_sys(err, "memory for %s", name);
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_sys(err, "random bytes");
	t->counters = counters_format(memory, capacity, seed);
	return 0;
}

void shared_table_free(struct shared_table *t)
{
	if (t->counters)
		munmap(t->counters, t->size);
	t->counters = NULL;
	fd_close(&t->fd);
}

size_t shared_table_sweep(struct shared_table *t, uint64_t silent_since)
{
	off_t at = 0, end;
	size_t keys = 0;

	while ((at = lseek(t->fd, at, SEEK_DATA)) >= 0) {
		end = lseek(t->fd, at, SEEK_HOLE);
		if (end <= at)
			break;
		keys += counters_sweep(t->counters, (size_t)at, (size_t)end, silent_since);
		at = end;
	}
	return keys;
}
