/* SPDX-License-Identifier: ISC */
/*
 * count_clients QUEUE_DIRECTORY COUNT: counts the connections of so many clients in anvil's table,
 * as smtpd does, and one more client's after each thousand. Prints the nanoseconds of CPU that one
 * of the first and of the last 100,000 took, and what that one client's count came to.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/peer/anvil.h"
#include "lib/sys/clock.h"

enum { CHUNK = 100000, REGULAR_EVERY = 1000, PERIOD_S = 3600 };

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

/* What a session does at its beginning and at its end. */
static uint32_t connection(struct counter_table *table, int holder, const char *key)
{
	uint64_t now = (uint64_t)clock_wall_us() / 1000000;
	struct counter *counter = counters_get(table, key, now);
	uint32_t count;

	if (!counter)
		return 0;
	counter_enter(table, counter, holder, now);
	count = counter_add(table, counter, ANVIL_CONNECTIONS, 1, now, PERIOD_S);
	counter_leave(table, counter, holder);
	return count;
}

int main(int argc, char **argv)
{
	struct anvil *anvil = anvil_new(ANVIL_CLIENTS);
	struct counter_table *table;
	int64_t began = 0, first = 0;
	uint32_t regular = 0;
	int count;

	if (argc != 3 || chdir(argv[1]) < 0 || !num_int(argv[2], 2 * CHUNK, 1 << 24, &count) ||
	    !(table = anvil_counters(anvil)))
		return 2;
	for (int i = 0; i < count; i++) {
		char key[COUNTER_KEY_SIZE];

		if (i == 0 || i == count - CHUNK)
			began = cpu_ns();
		snprintf(key, sizeof(key), "smtp:10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		if (connection(table, anvil_holder(anvil), key) == 0)
			return 1;
		if (i % REGULAR_EVERY == 0)
			regular = connection(table, anvil_holder(anvil), "smtp:192.0.2.1");
		if (i == CHUNK - 1)
			first = cpu_ns() - began;
	}
	printf("first=%lld last=%lld regular=%u\n", (long long)first / CHUNK,
	    (long long)(cpu_ns() - began) / CHUNK, regular);
	anvil_free(&anvil);
	return 0;
}
