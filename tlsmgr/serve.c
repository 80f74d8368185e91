/* SPDX-License-Identifier: ISC */
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "tlsmgr/tlsmgr.h"

static int64_t now_s(void)
{
	return clock_wall_us() / 1000000;
}

static void answer(struct frame_client *client, const struct frame *frame, uint16_t type,
    const struct frame_table *table, const void *value)
{
	struct str out = {0};

	frame_encode(&out, type, frame->id, table, value);
	frame_client_answer(client, &out, -1); /* who has gone needs no complaint */
	str_fini(&out);
}

static int take_session(struct tlsmgr *m, struct frame_client *client, const struct frame *frame,
    struct arena *arena, struct err *err)
{
	struct tlsmgr_request request;
	struct tlsmgr_session found = {.session = ""};
	struct session_cache *cache;

	if (frame_decode(frame, &tlsmgr_request_table, &request, arena, err) < 0)
		return -1;
	if (request.cache >= TLSMGR_CACHES)
		return err_set(err, 0, "no session cache of number %u", request.cache);
	cache = &m->caches[request.cache];
	if (frame->type == TLSMGR_STORE) {
		sessions_store(cache, &request, now_s());
	} else if (frame->type == TLSMGR_DROP) {
		sessions_drop(cache, request.key);
	} else {
		const char *session = sessions_find(cache, request.key, now_s(), arena);

		found.found = session != NULL;
		found.session = session ? session : "";
		answer(client, frame, TLSMGR_SESSION, &tlsmgr_session_table, &found);
	}
	return 0;
}

static int take_ticket(struct tlsmgr *m, struct frame_client *client, const struct frame *frame,
    struct arena *arena, struct err *err)
{
	struct tlsmgr_ticket request;
	struct tlsmgr_ticket_key key;

	if (frame_decode(frame, &tlsmgr_ticket_table, &request, arena, err) < 0)
		return -1;
	tickets_find(&m->tickets, request.name, clock_mono_ms(), arena, &key);
	answer(client, frame, TLSMGR_TICKET_KEY, &tlsmgr_ticket_key_table, &key);
	return 0;
}

static int take_inherited(
    struct tlsmgr *m, const struct frame *frame, struct arena *arena, struct err *err)
{
	struct tlsmgr_ticket_key key;

	if (frame_decode(frame, &tlsmgr_ticket_key_table, &key, arena, err) < 0)
		return -1;
	return tickets_inherit(&m->tickets, &key, clock_mono_ms(), err);
}

static int take_chains(struct tlsmgr *m, struct frame_client *client, const struct frame *frame,
    struct arena *arena, struct err *err)
{
	struct tlsmgr_chains chains;

	if (frame_decode(frame, &tlsmgr_chains_table, &chains, arena, err) < 0)
		return -1;
	if (frame->type == TLSMGR_KEEP) {
		chains_keep(&m->chains, chains.name, chains.text);
	} else {
		chains.text = chains_find(&m->chains, chains.name);
		answer(client, frame, TLSMGR_CHAINS, &tlsmgr_chains_table, &chains);
	}
	return 0;
}

bool tlsmgr_take_frame(
    struct frame_client *client, const struct frame *frame, int *passed, void *arg)
{
	struct arena arena = {0};
	struct err err = {0};
	int rc;

	(void)passed; /* nobody passes descriptors here: it is closed */
	switch (frame->type) {
	case TLSMGR_FIND:
	case TLSMGR_STORE:
	case TLSMGR_DROP:
		rc = take_session(arg, client, frame, &arena, &err);
		break;
	case TLSMGR_TICKET:
		rc = take_ticket(arg, client, frame, &arena, &err);
		break;
	case TLSMGR_INHERIT:
		rc = take_inherited(arg, frame, &arena, &err);
		break;
	case TLSMGR_KEEP:
	case TLSMGR_RECALL:
		rc = take_chains(arg, client, frame, &arena, &err);
		break;
	default:
		rc = err_set(&err, 0, "request of unknown type %u", frame->type);
	}
	if (rc < 0)
		log_warn("private/tlsmgr: a client is turned away: %s", err.text);
	arena_fini(&arena);
	return rc == 0;
}
