/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "verify/verify.h"

static bool answer(struct verifier *v, struct frame_client *client, const struct frame *frame,
    struct arena *arena, struct err *err)
{
	struct verify_query query;
	struct verify_answer answer;
	struct str out = {0};
	bool sent;

	if (frame_decode(frame, &verify_query_table, &query, arena, err) < 0)
		return false;
	cache_query(v, query.address, clock_wall_us() / 1000000, arena, &answer);
	frame_encode(&out, VERIFY_ANSWER, frame->id, &verify_answer_table, &answer);
	sent = frame_client_answer(client, &out, -1);
	str_fini(&out);
	(void)sent; /* a client that is gone needs no complaint */
	return true;
}

static bool take_update(
    struct verifier *v, const struct frame *frame, struct arena *arena, struct err *err)
{
	struct verify_update update;

	if (frame_decode(frame, &verify_update_table, &update, arena, err) < 0)
		return false;
	if (update.status >= VERIFY_TODO) {
		err_set(err, 0, "update with status %u", update.status);
		return false;
	}
	cache_update(v, &update, clock_wall_us() / 1000000);
	return true;
}

bool verifier_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *arg)
{
	struct verifier *v = arg;
	struct arena arena = {0};
	struct err err = {0};
	bool good = false;

	(void)passed;
	if (frame->type == VERIFY_QUERY)
		good = answer(v, client, frame, &arena, &err);
	else if (frame->type == VERIFY_UPDATE)
		good = take_update(v, frame, &arena, &err);
	else
		err_set(&err, 0, "request of unknown type %u", frame->type);
	if (!good)
		log_warn("private/verify: a client is turned away: %s", err.text);
	arena_fini(&arena);
	return good;
}
