/* SPDX-License-Identifier: ISC */
#include "pickup/pickup.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"

/* Names are read before files are touched: a folder that changes under readdir shows some twice. */
enum { BATCH = 1000 };

struct batch {
	char names[BATCH][QUEUE_ID_MAX];
	size_t count;
};

static int fill_batch(const struct pickup *p, struct batch *batch)
{
	DIR *dir = opendir("maildrop");
	struct dirent *entry;

	batch->count = 0;
	if (!dir) {
		log_warn("open directory maildrop: %s", strerror(errno));
		return -1;
	}
	while (batch->count < BATCH && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strlen(name) >= QUEUE_ID_MAX || !queue_id_valid(name) ||
		    map_get(p->stuck, name))
			continue;
		strcpy(batch->names[batch->count++], name);
	}
	closedir(dir);
	return 0;
}

static bool should_stop(const struct pickup *p)
{
	return p->service && service_should_end(p->service);
}

/* false: no more in this run. */
static bool take_batch(struct pickup *p, const struct batch *batch, size_t *taken)
{
	for (size_t i = 0; i < batch->count; i++) {
		enum pickup_result result;

		if (should_stop(p)) {
			/* whoever comes after us goes on at once, not at the next wake-up */
			trigger_send("public/pickup", 'W', 0);
			return false;
		}
		if (p->service)
			service_alive(p->service);
		notifier_await_flow(p->notifier, clock_ms_of(p->shape_params.in_flow_delay));
		result = pickup_take(p, batch->names[i]);
		if (result == PICKUP_STOP)
			return false;
		*taken += result == PICKUP_TAKEN;
	}
	return true;
}

size_t pickup_run(struct pickup *p)
{
	static const size_t none = 0;
	struct batch batch;
	size_t taken = 0, before;

	/* what cannot be removed would be delivered again and again */
	if (access("maildrop", R_OK | W_OK | X_OK) < 0) {
		log_warn("directory maildrop: %s", strerror(errno));
		return none;
	}
	do {
		before = taken;
		if (fill_batch(p, &batch) < 0 || !take_batch(p, &batch, &taken))
			break;
	} while (taken > before);
	return taken;
}
