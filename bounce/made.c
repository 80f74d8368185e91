/* SPDX-License-Identifier: ISC */
/*
 * Which notices are there already. A process that dies between the moment a notice is durable and
 * the removal of the log leaves both; who takes up the log then must not tell the same twice. So
 * the log says, before a notice is put into the queue, which one it will be, and afterwards that it
 * is there. Between the two nobody knows: the notice is then looked for by its id. A record in a
 * lane is found when it has long been delivered, until the lane begins anew; a file by its second
 * name.
 */
#include <stdio.h>

#include "bounce/bounce.h"
#include "lib/base/log.h"
#include "lib/base/map.h"

static const char *key_of(char out[32], uint32_t reader, uint32_t index)
{
	snprintf(out, 32, "%u.%u", reader, index);
	return out;
}

static void put(struct made *made, const struct bounce_notice *notice, struct arena *arena)
{
	struct bounce_notice *own = arena_zero(arena, 1, sizeof(*own));
	char key[32];

	*own = *notice;
	if (!made->notices)
		made->notices = map_new();
	map_put(made->notices, key_of(key, notice->reader, notice->index), own);
}

/* The last word of a process that died: did the notice come into the queue? */
static int settle(
    struct made *made, struct bounce_notice *last, const char *id, struct arena *arena)
{
	struct err err = {0};
	int has = queue_has_had(made->bounce->queue, last->id, &err);

	if (has < 0)
		log_warn("%s: %s", id, err.text);
	if (has == 0)
		queue_drop_second_name(last->id); /* what had been written of it */
	if (has != 1)
		return has;
	log_info("%s: notification %s is in the queue already", id, last->id);
	made_end(made, last->reader, last->index, last->id, true);
	put(made, last, arena);
	return 0;
}

int made_init(
    struct made *made, struct bounce *bounce, int log_fd, const char *id, struct arena *arena)
{
	struct bounce_log *log = bounce_log_open(bounce->queue, bounce->name, id);
	struct bounce_notice notice, last = {.made = 1};
	int rc;

	*made = (struct made){.bounce = bounce, .log_fd = log_fd};
	while (log && bounce_log_next_notice(log, arena, &notice)) {
		if (notice.made)
			put(made, &notice, arena);
		last = notice;
	}
	bounce_log_close(&log);
	rc = last.made ? 0 : settle(made, &last, id, arena);
	if (rc < 0)
		made_fini(made);
	return rc;
}

void made_fini(struct made *made)
{
	map_free(&made->notices, NULL);
}

size_t made_records(const struct made *made, enum notice_reader reader, uint32_t index)
{
	const struct bounce_notice *notice;
	char key[32];

	if (!made->notices)
		return 0;
	notice = map_get(made->notices, key_of(key, reader, index));
	return notice ? notice->records : 0;
}

int made_begin(const struct made *made, enum notice_reader reader, uint32_t index, const char *id,
    struct err *err)
{
	const struct bounce_notice notice = {.reader = reader, .index = index, .id = id};

	return bounce_log_put_notice(made->log_fd, &notice, err);
}

void made_end(const struct made *made, enum notice_reader reader, uint32_t index, const char *id,
    bool in_file)
{
	const struct bounce_notice notice = {.reader = reader, .index = index, .id = id, .made = 1};
	struct err err;

	if (bounce_log_put_notice(made->log_fd, &notice, &err) < 0)
		log_warn("%s", err.text);
	else if (in_file)
		queue_drop_second_name(id);
}
