/* SPDX-License-Identifier: ISC */
/* A process's end of anvil.h. */
#include "lib/peer/anvil.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

#define ANVIL_SOCKET "private/anvil"
enum { TIMEOUT_MS = 5000, REST_MS = 60 * 1000 };

struct anvil {
	enum anvil_table which;
	int fd; /* -1: not connected */
	int holder;
	int64_t not_before; /* clock_mono_ms: no attempt until then */
	struct counter_table *table;
	size_t size;
};

struct anvil *anvil_new(enum anvil_table which)
{
	struct anvil *a = alloc_zero(1, sizeof(*a));

	a->which = which;
	a->fd = a->holder = -1;
	return a;
}

static void leave(struct anvil *a)
{
	fd_close(&a->fd);
	if (a->table)
		munmap(a->table, a->size);
	a->table = NULL;
	a->holder = -1;
}

void anvil_free(struct anvil **a)
{
	if (!*a)
		return;
	leave(*a);
	free(*a);
	*a = NULL;
}

/* anvil never speaks of itself: anything readable is its end. */
static bool still_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The new table takes the place of the old one, if it is one. */
static int map(struct anvil *a, int fd, uint64_t size, struct err *err)
{
	struct counter_table *table;
	struct stat st;
	void *memory;

	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != size)
		return err_set(err, 0, "no table came along");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_sys(err, "map the table");
	table = counters_at(memory, size);
	if (!table) {
		munmap(memory, size);
		return err_set(err, 0, "a table of another version");
	}
	if (a->table)
		munmap(a->table, a->size);
	a->table = table;
	a->size = size;
	a->holder = -1;
	return 0;
}

static int join(struct anvil *a, struct err *err)
{
	struct anvil_join question = {.table = a->which};
	struct anvil_joined answer;
	struct str out = {0}, in = {0};
	struct arena arena = {0};
	struct frame frame;
	int fd = -1, rc = -1;

	a->fd = net_connect_unix(ANVIL_SOCKET, TIMEOUT_MS, err);
	if (a->fd < 0)
		return -1;
	frame_encode(&out, ANVIL_JOIN, 1, &anvil_join_table, &question);
	if (frame_send(a->fd, &out, -1, TIMEOUT_MS, err) == 0) {
		int got = frame_recv(a->fd, &in, TIMEOUT_MS, &frame, &fd, err);

		if (got == 0)
			err_set(err, 0, "no answer");
		else if (got > 0 && frame.type != ANVIL_TABLE)
			err_set(err, 0, "an unexpected answer");
		else if (got > 0 &&
		         frame_decode(&frame, &anvil_joined_table, &answer, &arena, err) == 0)
			rc = map(a, fd, answer.size, err);
	}
	if (rc == 0 && answer.holder < COUNTER_HOLDERS)
		a->holder = (int)answer.holder;
	fd_close(&fd);
	str_fini(&out);
	str_fini(&in);
	arena_fini(&arena);
	return rc;
}

struct counter_table *anvil_counters(struct anvil *a)
{
	struct err err = {0};

	if (a->fd >= 0 && still_open(a->fd))
		return a->table;
	fd_close(&a->fd);
	if (clock_mono_ms() < a->not_before || join(a, &err) == 0)
		return a->table;
	fd_close(&a->fd);
	a->not_before = clock_mono_ms() + REST_MS;
	log_warn("%s: %s; %s for the next %d seconds", ANVIL_SOCKET, err.text,
	    a->table ? "this process counts for itself" : "clients are not limited",
	    REST_MS / 1000);
	return a->table;
}

int anvil_holder(const struct anvil *a)
{
	return a->holder;
}

void anvil_account_key(const char *kind, const char *name, char *out)
{
	enum { CUT = 24 };
	static const uint64_t same_for_all_time = 0x706f737465726e31;
	char *folded = alloc_strdup(name);

	text_lower(folded);
	if (strlen(folded) <= 53)
		snprintf(out, COUNTER_KEY_SIZE, "%.9s:%.53s", kind, folded);
	else
		snprintf(out, COUNTER_KEY_SIZE, "%.10s:%.*s..%016llx", kind, CUT, folded,
		    (unsigned long long)map_hash_seeded(same_for_all_time, folded, strlen(folded)));
	free(folded);
	text_make_printable(out, strlen(out));
}
