/* SPDX-License-Identifier: ISC */
#include "lib/secure/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/sys/clock.h"
#include "lib/tls/digest.h"

enum { KEYS_MAX = 3 };

struct known_key {
	struct tls_ticket_key key;
	int64_t current_until_ms, accepted_until_ms; /* clock_mono_ms; 0: empty */
};

struct secure_shared {
	struct tlsmgr_client *manager;
	enum tlsmgr_cache cache;
	uint32_t timeout_s;
	bool sessions; /* there is a database for them */
	struct known_key keys[KEYS_MAX];
};

static bool take_hex(const char *text, unsigned char *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned value;

		if (sscanf(text + 2 * i, "%2x", &value) != 1)
			return false;
		out[i] = (unsigned char)value;
	}
	return true;
}

static void put_hex(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The place of the key that is good for the shortest time. */
static struct known_key *oldest(struct secure_shared *s)
{
	struct known_key *place = &s->keys[0];

	for (size_t i = 1; i < KEYS_MAX; i++)
		if (s->keys[i].accepted_until_ms < place->accepted_until_ms)
			place = &s->keys[i];
	return place;
}

/* Asks tlsmgr; NULL: it knows no such key. */
static const struct known_key *fetch(struct secure_shared *s, const unsigned char *name)
{
	char text[2 * TLS_TICKET_NAME + 1] = "";
	struct known_key fresh = {.accepted_until_ms = 0}, *place = NULL;
	struct tlsmgr_ticket_key answer;
	struct arena arena = {0};
	int64_t now = clock_mono_ms();

	if (name)
		put_hex(name, TLS_TICKET_NAME, text);
	if (tlsmgr_ticket_key(s->manager, name ? text : NULL, &arena, &answer) &&
	    take_hex(answer.name, fresh.key.name, TLS_TICKET_NAME) &&
	    take_hex(answer.cipher_key, fresh.key.cipher_key, TLS_TICKET_SECRET) &&
	    take_hex(answer.mac_key, fresh.key.mac_key, TLS_TICKET_SECRET)) {
		fresh.current_until_ms = now + (int64_t)answer.current_s * 1000;
		fresh.accepted_until_ms = now + (int64_t)answer.accepted_s * 1000;
		fresh.key.current_until_s = clock_wall_us() / 1000000 + answer.current_s;
		place = oldest(s);
		*place = fresh;
	}
	digest_wipe(&fresh, sizeof(fresh));
	arena_fini(&arena);
	return place;
}

static const struct known_key *find(const struct secure_shared *s, const unsigned char *name)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < KEYS_MAX; i++) {
		const struct known_key *k = &s->keys[i];

		if (name ? now < k->accepted_until_ms &&
		               memcmp(name, k->key.name, TLS_TICKET_NAME) == 0
		         : now < k->current_until_ms)
			return k;
	}
	return NULL;
}

static int ticket_key(void *arg, const unsigned char *name, struct tls_ticket_key *out)
{
	struct secure_shared *s = arg;
	const struct known_key *k = find(s, name);

	if (!k)
		k = fetch(s, name);
	if (!k)
		return 0;
	*out = k->key;
	return clock_mono_ms() < k->current_until_ms ? 1 : 2;
}

static bool session_get(void *arg, const char *id, struct str *session_out)
{
	struct secure_shared *s = arg;

	return tlsmgr_find(s->manager, s->cache, id, session_out);
}

static void session_put(void *arg, const char *id, struct slice session)
{
	struct secure_shared *s = arg;

	tlsmgr_store(s->manager, s->cache, id, session, s->timeout_s);
}

static void session_drop(void *arg, const char *id)
{
	struct secure_shared *s = arg;

	tlsmgr_drop(s->manager, s->cache, id);
}

struct secure_shared *secure_shared_new(
    const struct secure_params *params, enum tlsmgr_cache cache, int timeout_ms)
{
	struct secure_shared *s = alloc_zero(1, sizeof(*s));

	s->manager = tlsmgr_client_new(params->tlsmgr_service_name, timeout_ms);
	s->cache = cache;
	s->timeout_s = (uint32_t)params->sessions[cache].timeout;
	s->sessions = *params->sessions[cache].database;
	return s;
}

void secure_shared_free(struct secure_shared **shared)
{
	if (!*shared)
		return;
	tlsmgr_client_free(&(*shared)->manager);
	digest_wipe((*shared)->keys, sizeof((*shared)->keys));
	free(*shared);
	*shared = NULL;
}

void secure_shared_hooks(struct secure_shared *s, struct tls_server_hooks *hooks)
{
	hooks->arg = s;
	hooks->ticket_key = ticket_key;
	hooks->session_get = s->sessions ? session_get : NULL;
	hooks->session_put = s->sessions ? session_put : NULL;
	hooks->session_drop = s->sessions ? session_drop : NULL;
}
