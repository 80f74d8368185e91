/* SPDX-License-Identifier: ISC */
/* The client's end of tlsmgr.h. */
#include "lib/peer/tlsmgr.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/ipc/caller.h"

struct tlsmgr_client {
	struct frame_caller *caller;
	struct arena arena;
};

struct tlsmgr_client *tlsmgr_client_new(const char *service_name, int timeout_ms)
{
	struct tlsmgr_client *c = alloc_zero(1, sizeof(*c));
	char *path = alloc_printf("private/%s", service_name);

	c->caller = frame_caller_new(path, timeout_ms, "TLS sessions are not shared");
	free(path);
	return c;
}

void tlsmgr_client_free(struct tlsmgr_client **c)
{
	if (!*c)
		return;
	frame_caller_free(&(*c)->caller);
	arena_fini(&(*c)->arena);
	free(*c);
	*c = NULL;
}

bool tlsmgr_find(struct tlsmgr_client *c, enum tlsmgr_cache cache, const char *key, struct str *out)
{
	static const struct frame_question question = {
	    TLSMGR_FIND, TLSMGR_SESSION, &tlsmgr_request_table, &tlsmgr_session_table};
	const struct tlsmgr_request request = {.cache = cache, .key = key};
	struct tlsmgr_session answer;
	bool found;

	found = frame_caller_ask(c->caller, &question, &request, &c->arena, &answer, NULL) &&
	        answer.found &&
	        base64_decode(out, answer.session, slice_text(answer.session).len) == 0;
	arena_reset(&c->arena);
	return found;
}

void tlsmgr_store(struct tlsmgr_client *c, enum tlsmgr_cache cache, const char *key,
    struct slice session, uint32_t lifetime_s)
{
	struct tlsmgr_request request = {.cache = cache, .key = key, .lifetime_s = lifetime_s};
	struct str text = {0};

	base64_encode(&text, session.data, session.len);
	request.session = str_text(&text);
	if (text.len <= TLSMGR_SESSION_MAX)
		frame_caller_tell(c->caller, TLSMGR_STORE, &tlsmgr_request_table, &request, -1);
	str_fini(&text);
}

void tlsmgr_drop(struct tlsmgr_client *c, enum tlsmgr_cache cache, const char *key)
{
	const struct tlsmgr_request request = {.cache = cache, .key = key};

	frame_caller_tell(c->caller, TLSMGR_DROP, &tlsmgr_request_table, &request, -1);
}

bool tlsmgr_ticket_key(
    struct tlsmgr_client *c, const char *name, struct arena *arena, struct tlsmgr_ticket_key *out)
{
	static const struct frame_question question = {
	    TLSMGR_TICKET, TLSMGR_TICKET_KEY, &tlsmgr_ticket_table, &tlsmgr_ticket_key_table};
	const struct tlsmgr_ticket request = {.name = name ? name : ""};

	return frame_caller_ask(c->caller, &question, &request, arena, out, NULL) && out->found;
}

void tlsmgr_keep(struct tlsmgr_client *c, const char *name, const char *text)
{
	const struct tlsmgr_chains request = {.name = name, .text = text};

	if (slice_text(text).len <= TLSMGR_CHAINS_MAX)
		frame_caller_tell(c->caller, TLSMGR_KEEP, &tlsmgr_chains_table, &request, -1);
}

void tlsmgr_inherit(struct tlsmgr_client *c, const struct tlsmgr_ticket_key *key)
{
	frame_caller_tell(c->caller, TLSMGR_INHERIT, &tlsmgr_ticket_key_table, key, -1);
}

bool tlsmgr_recall(struct tlsmgr_client *c, const char *name, struct str *out)
{
	static const struct frame_question question = {
	    TLSMGR_RECALL, TLSMGR_CHAINS, &tlsmgr_chains_table, &tlsmgr_chains_table};
	const struct tlsmgr_chains request = {.name = name, .text = ""};
	struct tlsmgr_chains answer;
	bool found;

	found = frame_caller_ask(c->caller, &question, &request, &c->arena, &answer, NULL) &&
	        *answer.text;
	if (found)
		str_put_text(out, answer.text);
	arena_reset(&c->arena);
	return found;
}
