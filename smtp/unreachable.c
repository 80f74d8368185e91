/* SPDX-License-Identifier: ISC */
#include "smtp/unreachable.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * An open-addressed table without locks: each word is written alone, and what two processes write
 * at the same time is at worst a failure that is counted once. A slot in which nothing is known any
 * more is free. Times are of the wall clock, since the file outlives a boot; one that is too far
 * ahead counts as no time.
 */
enum {
	MAGIC = 0x504e5531, /* "PNU1": changes with the layout */
	SLOTS = 4096,
	PROBES = 8,
	DOUBLINGS = 4,
	ATTEMPT_MAX_MS = 600 * 1000, /* an attempt that has not ended by then: its process died */
};

struct slot {
	_Atomic uint64_t key;     /* 0: free */
	_Atomic int64_t since_ms; /* the oldest attempt that has not ended; 0: none */
	_Atomic int64_t until_ms; /* avoided until then */
	_Atomic uint32_t failures;
};

struct board {
	uint32_t magic, padding;
	uint64_t seed; /* so that nobody can choose addresses that share a slot */
	struct slot slots[SLOTS];
};

struct unreachable {
	struct board *board;
	int64_t first_ms, grace_ms;
};

static int64_t now_ms(void)
{
	return clock_wall_us() / 1000;
}

static bool init_board(int fd)
{
	struct {
		uint32_t magic, padding;
		uint64_t seed;
	} head = {.magic = MAGIC};

	_Static_assert(sizeof(head) == offsetof(struct board, slots), "the head is all but slots");
	return getrandom(&head.seed, sizeof(head.seed), 0) == sizeof(head.seed) &&
	       ftruncate(fd, sizeof(struct board)) == 0 &&
	       fd_pwrite_all(fd, &head, sizeof(head), 0) == 0;
}

/* 1: it is one, 0: it is empty, -1: it is something else. */
static int look_at(int fd)
{
	uint32_t magic;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	if (st.st_size == 0)
		return 0;
	return st.st_size == (off_t)sizeof(struct board) &&
	               fd_pread_full(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
	               magic == MAGIC
	           ? 1
	           : -1;
}

static struct board *map(int fd, int flags)
{
	void *at = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, flags, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A file of another kind or version is not cut, since others may have it mapped: it is replaced. */
static struct board *map_file(const char *path)
{
	struct board *board = NULL;

	for (int tries = 0; tries < 3 && !board; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), kind = -1;

		if (fd < 0)
			return NULL;
		if (fd_lock(fd, true) == 0)
			kind = look_at(fd);
		if (kind > 0 || (kind == 0 && init_board(fd)))
			board = map(fd, MAP_SHARED);
		else if (unlink(path) < 0)
			tries = 3;
		fd_unlock(fd); /* a mapping keeps the lock as long as itself */
		close(fd);
	}
	return board;
}

struct unreachable *unreachable_open(const char *path, int first_s, int grace_ms)
{
	struct unreachable *u = alloc_zero(1, sizeof(*u));

	u->first_ms = (int64_t)first_s * 1000;
	u->grace_ms = grace_ms;
	if (first_s == 0)
		return u;
	u->board = map_file(path);
	if (!u->board) {
		log_warn(
		    "%s: %m: addresses that do not answer are known to each process alone", path);
		u->board = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	}
	return u;
}

void unreachable_close(struct unreachable **u)
{
	if (*u && (*u)->board)
		munmap((*u)->board, sizeof(*(*u)->board));
	free(*u);
	*u = NULL;
}

/* FNV-1a over address and port, from the seed on. Never 0. */
static uint64_t key_of(const struct board *board, const struct net_addr *addr)
{
	uint64_t hash = board->seed ^ UINT64_C(0xcbf29ce484222325);
	unsigned port = net_addr_port(addr);
	char text[64];

	net_addr_text(addr, text, sizeof(text));
	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	hash = (hash ^ (port & 255)) * UINT64_C(0x100000001b3);
	hash = (hash ^ (port >> 8)) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	return hash ? hash : 1;
}

static struct slot *slot_at(struct board *board, uint64_t key, size_t probe)
{
	return &board->slots[(key + probe) % SLOTS];
}

static struct slot *find(struct board *board, uint64_t key)
{
	for (size_t i = 0; i < PROBES; i++)
		if (atomic_load(&slot_at(board, key, i)->key) == key)
			return slot_at(board, key, i);
	return NULL;
}

static bool is_trying(const struct slot *s, int64_t now, int64_t at_least_ms)
{
	int64_t since = atomic_load(&s->since_ms);

	return since && now >= since && now - since >= at_least_ms && now - since < ATTEMPT_MAX_MS;
}

static bool is_avoided(const struct unreachable *u, const struct slot *s, int64_t now)
{
	int64_t until = atomic_load(&s->until_ms);

	return until > now && until - now <= u->first_ms << DOUBLINGS;
}

/* How often it failed is remembered for as long as it was avoided, once more. */
static bool is_stale(const struct unreachable *u, const struct slot *s, int64_t now)
{
	int64_t until = atomic_load(&s->until_ms);

	return !is_avoided(u, s, now) && !is_trying(s, now, 0) &&
	       (until > now || now - until > u->first_ms << DOUBLINGS);
}

/* The slot of a key, new if need be; NULL when the neighbourhood is full: nothing is remembered. */
static struct slot *take(struct unreachable *u, uint64_t key, int64_t now)
{
	struct slot *s = find(u->board, key);

	for (size_t i = 0; !s && i < PROBES; i++) {
		struct slot *at = slot_at(u->board, key, i);
		uint64_t old = atomic_load(&at->key);

		if ((old && !is_stale(u, at, now)) ||
		    !atomic_compare_exchange_strong(&at->key, &old, key))
			continue;
		atomic_store(&at->since_ms, 0);
		atomic_store(&at->until_ms, 0);
		atomic_store(&at->failures, 0);
		s = at;
	}
	return s;
}

bool unreachable_is_suspect(const struct unreachable *u, const struct net_addr *addr)
{
	int64_t now = now_ms();
	struct slot *s = u->board ? find(u->board, key_of(u->board, addr)) : NULL;

	if (!s)
		return false;
	if (is_avoided(u, s, now))
		return true;
	/* its time is over: one process looks whether it is back, the others go on without it */
	return is_trying(s, now, atomic_load(&s->failures) ? 0 : u->grace_ms);
}

void unreachable_begin(struct unreachable *u, const struct net_addr *addr)
{
	int64_t now = now_ms();
	struct slot *s = u->board ? take(u, key_of(u->board, addr), now) : NULL;

	if (s && !is_trying(s, now, 0))
		atomic_store(&s->since_ms, now);
}

void unreachable_end(struct unreachable *u, const struct net_addr *addr, bool reached)
{
	struct slot *s = u->board ? find(u->board, key_of(u->board, addr)) : NULL;
	int64_t now = now_ms();
	uint32_t failures;

	if (!s)
		return;
	if (reached) {
		atomic_store(&s->failures, 0);
		atomic_store(&s->until_ms, 0);
		atomic_store(&s->since_ms, 0);
		atomic_store(&s->key, 0);
		return;
	}
	atomic_store(&s->since_ms, 0);
	if (is_avoided(u, s, now)) /* several waited for it at the same time: that is one failure */
		return;
	failures = MIN(atomic_load(&s->failures), (uint32_t)DOUBLINGS);
	atomic_store(&s->until_ms, now + (u->first_ms << failures));
	atomic_store(&s->failures, failures + 1);
}
