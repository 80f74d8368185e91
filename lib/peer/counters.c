/* SPDX-License-Identifier: ISC */
#include "lib/peer/counters.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/map.h"

#define MAGIC 0x706e7463 /* "cntp" */
enum { VERSION = 1, TAG_FREE = 0, TAG_BUSY = 1, TAG_FIRST = 2 };
enum { NO_COUNTER = 0 }; /* in a holder: else the index plus one */

struct counter_table {
	uint32_t magic, version;
	uint64_t seed;
	uint64_t sets; /* a power of two */
	_Atomic uint32_t holder_used[COUNTER_HOLDERS];
	_Atomic uint64_t holder_counter[COUNTER_HOLDERS];
	struct counter_peak peaks[COUNTER_PEAKS];
	_Alignas(64) struct counter counters[];
};

static size_t sets_for(size_t capacity)
{
	size_t sets = 1;

	while (sets * COUNTER_WAYS < capacity && sets < (size_t)1 << 28)
		sets *= 2;
	return sets;
}

static size_t size_of(size_t sets)
{
	return sizeof(struct counter_table) + sets * COUNTER_WAYS * sizeof(struct counter);
}

size_t counters_size(size_t capacity)
{
	return size_of(sets_for(capacity));
}

struct counter_table *counters_format(void *memory, size_t capacity, uint64_t seed)
{
	struct counter_table *t = memory;

	t->seed = seed;
	t->sets = sets_for(capacity);
	t->version = VERSION;
	t->magic = MAGIC;
	return t;
}

struct counter_table *counters_at(void *memory, size_t size)
{
	struct counter_table *t = memory;

	if (size < sizeof(*t) || t->magic != MAGIC || t->version != VERSION || t->sets == 0 ||
	    t->sets > (size_t)1 << 28 || (t->sets & (t->sets - 1)) || size_of(t->sets) != size)
		return NULL;
	return t;
}

size_t counters_capacity(const struct counter_table *t)
{
	return t->sets * COUNTER_WAYS;
}

/* ---- places --------------------------------------------------------------------------------- */

/* Every bit of the key moves every bit of the tag (the finalizer of splitmix64). */
static uint64_t tag_of(const struct counter_table *t, const char *key)
{
	uint64_t tag = map_hash_seeded(t->seed, key, strlen(key));

	tag = (tag ^ tag >> 30) * 0xbf58476d1ce4e5b9;
	tag = (tag ^ tag >> 27) * 0x94d049bb133111eb;
	tag ^= tag >> 31;
	return tag < TAG_FIRST ? tag + TAG_FIRST : tag;
}

static struct counter *set_of(struct counter_table *t, uint64_t tag)
{
	return &t->counters[((tag >> 20) & (t->sets - 1)) * COUNTER_WAYS];
}

static struct counter *look(struct counter *set, uint64_t tag)
{
	for (int i = 0; i < COUNTER_WAYS; i++)
		if (atomic_load_explicit(&set[i].tag, memory_order_acquire) == tag)
			return &set[i];
	return NULL;
}

static uint64_t events_of(const struct counter *c)
{
	uint64_t events = 0;

	for (int i = 0; i < COUNTER_RATES; i++)
		events += atomic_load(&c->rates[i]) & UINT32_MAX;
	return events;
}

/*
 * The place to give up: a free one, else the one silent longest with nothing under way. In a flood
 * many were seen in the same second: then the one of which least is known.
 */
static struct counter *pick(struct counter *set, uint64_t *tag_out)
{
	struct counter *best = NULL;
	uint32_t best_seen = 0;

	for (int i = 0; i < COUNTER_WAYS; i++) {
		uint64_t tag = atomic_load(&set[i].tag);
		uint32_t seen = atomic_load(&set[i].seen);

		if (tag == TAG_BUSY || (tag != TAG_FREE && atomic_load(&set[i].current) > 0))
			continue;
		if (tag == TAG_FREE)
			seen = 0;
		if (!best || seen < best_seen ||
		    (seen == best_seen && seen && events_of(&set[i]) < events_of(best))) {
			best = &set[i];
			best_seen = seen;
			*tag_out = tag;
		}
	}
	return best;
}

/* NULL: another process was quicker, or every place is busy. */
static struct counter *claim(struct counter *set, uint64_t tag, const char *key, uint64_t now)
{
	uint64_t old;
	struct counter *c = pick(set, &old);

	if (!c || !atomic_compare_exchange_strong(&c->tag, &old, TAG_BUSY))
		return NULL;
	if (old != TAG_FREE && atomic_load(&c->current) > 0) {
		atomic_store(&c->tag, old); /* it came to life between the two looks */
		return NULL;
	}
	atomic_store(&c->seen, (uint32_t)now); /* first: a sweep leaves it alone */
	for (int i = 0; i < COUNTER_RATES; i++)
		atomic_store(&c->rates[i], 0);
	atomic_store(&c->current, 0);
	memset(c->key, 0, sizeof(c->key));
	memcpy(c->key, key, MIN(strlen(key), sizeof(c->key) - 1));
	atomic_store_explicit(&c->tag, tag, memory_order_release);
	return c;
}

struct counter *counters_find(struct counter_table *t, const char *key)
{
	uint64_t tag = tag_of(t, key);

	return look(set_of(t, tag), tag);
}

struct counter *counters_get(struct counter_table *t, const char *key, uint64_t now)
{
	uint64_t tag = tag_of(t, key);
	struct counter *set = set_of(t, tag), *c = look(set, tag), *first;

	for (int tries = 0; !c && tries < COUNTER_WAYS; tries++) {
		c = claim(set, tag, key, now);
		first = look(set, tag);
		if (c && first && first != c) /* two made it at once: the first place counts */
			atomic_store(&c->tag, TAG_FREE);
		c = first;
	}
	if (c)
		atomic_store_explicit(&c->seen, (uint32_t)now, memory_order_relaxed);
	return c;
}

/* ---- peaks ---------------------------------------------------------------------------------- */

static void note_peak(
    struct counter_table *t, int which, uint32_t value, const struct counter *c, uint64_t now)
{
	struct counter_peak *p = &t->peaks[which];
	uint32_t free_ = 0;

	if (value <= atomic_load_explicit(&p->value, memory_order_relaxed))
		return;
	if (!atomic_compare_exchange_strong(&p->busy, &free_, 1))
		return; /* somebody else has a peak at this very moment */
	if (value > atomic_load(&p->value)) {
		memcpy(p->key, c->key, sizeof(p->key));
		atomic_store(&p->when, now);
		atomic_store(&p->value, value);
	}
	atomic_store(&p->busy, 0);
}

bool counters_peak(
    struct counter_table *t, int which, uint32_t *value_out, uint64_t *when_out, char *key_out)
{
	struct counter_peak *p = &t->peaks[which];

	*value_out = atomic_load(&p->value);
	*when_out = atomic_load(&p->when);
	memcpy(key_out, p->key, COUNTER_KEY_SIZE);
	key_out[COUNTER_KEY_SIZE - 1] = '\0';
	return *value_out > 0;
}

void counters_reset_peaks(struct counter_table *t)
{
	for (int i = 0; i < COUNTER_PEAKS; i++) {
		atomic_store(&t->peaks[i].value, 0);
		atomic_store(&t->peaks[i].busy, 0); /* of a process that died in note_peak */
	}
}

/* ---- counting ------------------------------------------------------------------------------- */

static bool is_over(uint64_t start, uint64_t now, uint32_t period)
{
	return now < start || now - start >= period;
}

uint32_t counter_add(
    struct counter_table *t, struct counter *c, int rate, uint32_t n, uint64_t now, uint32_t period)
{
	uint64_t old = atomic_load(&c->rates[rate]), next;
	uint32_t count;

	do {
		uint64_t start = old >> 32;

		count = (uint32_t)old;
		if (is_over(start, now, period)) {
			start = now;
			count = 0;
		}
		count = count > UINT32_MAX - n ? UINT32_MAX : count + n;
		next = start << 32 | count;
	} while (!atomic_compare_exchange_weak(&c->rates[rate], &old, next));
	note_peak(t, rate, count, c, now);
	return count;
}

uint32_t counter_value(const struct counter *c, int rate, uint64_t now, uint32_t period)
{
	uint64_t value = atomic_load(&c->rates[rate]);

	return is_over(value >> 32, now, period) ? 0 : (uint32_t)value;
}

void counter_reset(struct counter *c)
{
	for (int i = 0; i < COUNTER_RATES; i++)
		atomic_store(&c->rates[i], 0);
}

static void lower(struct counter *c)
{
	uint32_t old = atomic_load(&c->current);

	while (old > 0 && !atomic_compare_exchange_weak(&c->current, &old, old - 1))
		;
}

uint32_t counter_enter(struct counter_table *t, struct counter *c, int holder, uint64_t now)
{
	uint32_t count;

	if (holder >= 0)
		atomic_store(&t->holder_counter[holder], (uint64_t)(c - t->counters) + 1);
	count = atomic_fetch_add(&c->current, 1) + 1;
	note_peak(t, COUNTER_RATES, count, c, now);
	return count;
}

void counter_leave(struct counter_table *t, struct counter *c, int holder)
{
	lower(c);
	if (holder >= 0)
		atomic_store(&t->holder_counter[holder], NO_COUNTER);
}

int counters_take_holder(struct counter_table *t)
{
	for (int i = 0; i < COUNTER_HOLDERS; i++) {
		uint32_t free_ = 0;

		if (atomic_compare_exchange_strong(&t->holder_used[i], &free_, 1))
			return i;
	}
	return -1;
}

void counters_release_holder(struct counter_table *t, int holder)
{
	uint64_t index = atomic_exchange(&t->holder_counter[holder], NO_COUNTER);

	if (index != NO_COUNTER && index <= counters_capacity(t))
		lower(&t->counters[index - 1]);
	atomic_store(&t->holder_used[holder], 0);
}

/* ---- walks ---------------------------------------------------------------------------------- */

static size_t index_at(const struct counter_table *t, size_t byte)
{
	size_t head = offsetof(struct counter_table, counters);
	size_t index = byte <= head ? 0 : (byte - head) / sizeof(struct counter);

	return MIN(index, counters_capacity(t));
}

size_t counters_sweep(struct counter_table *t, size_t from, size_t to, uint64_t silent_since)
{
	size_t left = 0, end = index_at(t, to);

	for (size_t i = index_at(t, from); i < end; i++) {
		struct counter *c = &t->counters[i];
		uint64_t tag = atomic_load(&c->tag);

		if (tag == TAG_FREE)
			continue;
		if (atomic_load(&c->seen) >= silent_since ||
		    (tag != TAG_BUSY && atomic_load(&c->current) > 0))
			left++;
		else
			atomic_compare_exchange_strong(&c->tag, &tag, TAG_FREE);
	}
	return left;
}

struct counter *counters_next(struct counter_table *t, size_t *cursor)
{
	while (*cursor < counters_capacity(t)) {
		struct counter *c = &t->counters[(*cursor)++];

		if (atomic_load_explicit(&c->tag, memory_order_acquire) >= TAG_FIRST)
			return c;
	}
	return NULL;
}
