/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sys/random.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/tls/digest.h"
#include "tlsmgr/tlsmgr.h"

static const char digits[] = "0123456789abcdef";

static const char *hex(struct arena *arena, const unsigned char *bytes, size_t len)
{
	char *text = arena_alloc(arena, 2 * len + 1);

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	return text;
}

static bool take_hex(const char *text, unsigned char *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return false;
		out[i / 2] = (unsigned char)((out[i / 2] << 4) | (digit - digits));
	}
	return true;
}

static void forget_first(struct ticket_keys *keys)
{
	digest_wipe(&keys->keys[0], sizeof(keys->keys[0]));
	keys->count--;
	memmove(&keys->keys[0], &keys->keys[1], keys->count * sizeof(keys->keys[0]));
	digest_wipe(&keys->keys[keys->count], sizeof(keys->keys[0]));
}

static bool fill_random(void *data, size_t len)
{
	return getrandom(data, len, 0) == (ssize_t)len;
}

static struct ticket_key *add_key(struct ticket_keys *keys, int64_t now_ms)
{
	int64_t life_ms = (int64_t)keys->lifetime_s * 1000;
	struct ticket_key key;

	if (!fill_random(key.name, sizeof(key.name)) ||
	    !fill_random(key.cipher_key, sizeof(key.cipher_key)) ||
	    !fill_random(key.mac_key, sizeof(key.mac_key))) {
		log_warn("no random numbers for a ticket key");
		return NULL;
	}
	key.current_until_ms = now_ms + MAX(life_ms / 2, 1000);
	key.accepted_until_ms = key.current_until_ms + life_ms;
	if (keys->count == TICKET_KEYS_MAX)
		forget_first(keys);
	keys->keys[keys->count] = key;
	digest_wipe(&key, sizeof(key));
	return &keys->keys[keys->count++];
}

static struct ticket_key *current_key(struct ticket_keys *keys, int64_t now_ms)
{
	struct ticket_key *newest = keys->count ? &keys->keys[keys->count - 1] : NULL;

	return newest && now_ms < newest->current_until_ms ? newest : add_key(keys, now_ms);
}

static struct ticket_key *named_key(struct ticket_keys *keys, const char *name, struct arena *arena)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(hex(arena, keys->keys[i].name, TICKET_NAME_LEN), name) == 0)
			return &keys->keys[i];
	return NULL;
}

static void put_key(const struct ticket_key *key, int64_t now_ms, struct arena *arena,
    struct tlsmgr_ticket_key *out)
{
	out->found = now_ms < key->current_until_ms ? 1 : 2;
	out->name = hex(arena, key->name, sizeof(key->name));
	out->cipher_key = hex(arena, key->cipher_key, sizeof(key->cipher_key));
	out->mac_key = hex(arena, key->mac_key, sizeof(key->mac_key));
	out->current_s = (uint32_t)(MAX(key->current_until_ms - now_ms, 0) / 1000);
	out->accepted_s = (uint32_t)((key->accepted_until_ms - now_ms) / 1000);
}

void tickets_find(struct ticket_keys *keys, const char *name, int64_t now_ms, struct arena *arena,
    struct tlsmgr_ticket_key *out)
{
	const struct ticket_key *key;

	*out = (struct tlsmgr_ticket_key){.name = "", .cipher_key = "", .mac_key = ""};
	if (keys->lifetime_s <= 0)
		return;
	while (keys->count && now_ms >= keys->keys[0].accepted_until_ms)
		forget_first(keys);
	key = *name ? named_key(keys, name, arena) : current_key(keys, now_ms);
	if (key)
		put_key(key, now_ms, arena, out);
}

bool tickets_bequeath(const struct ticket_keys *keys, size_t i, int64_t now_ms, struct arena *arena,
    struct tlsmgr_ticket_key *out)
{
	if (i >= keys->count)
		return false;
	put_key(&keys->keys[i], now_ms, arena, out);
	return true;
}

int tickets_inherit(
    struct ticket_keys *keys, const struct tlsmgr_ticket_key *from, int64_t now_ms, struct err *err)
{
	int64_t life_s = MAX(keys->lifetime_s, 0);
	struct ticket_key key;
	size_t at = 0;

	if (!take_hex(from->name, key.name, sizeof(key.name)) ||
	    !take_hex(from->cipher_key, key.cipher_key, sizeof(key.cipher_key)) ||
	    !take_hex(from->mac_key, key.mac_key, sizeof(key.mac_key)))
		return err_set(err, 0, "a ticket key of another length");
	key.current_until_ms = now_ms + MIN((int64_t)from->current_s, life_s) * 1000;
	key.accepted_until_ms = now_ms + MIN((int64_t)from->accepted_s, 2 * life_s) * 1000;
	if (keys->count == TICKET_KEYS_MAX)
		forget_first(keys);
	/* behind older ones; a key that has been made since stays the newest */
	while (at < keys->count && keys->keys[at].accepted_until_ms < key.accepted_until_ms)
		at++;
	memmove(&keys->keys[at + 1], &keys->keys[at], (keys->count - at) * sizeof(key));
	keys->keys[at] = key;
	keys->count++;
	digest_wipe(&key, sizeof(key));
	return 0;
}

void tickets_wipe(struct ticket_keys *keys)
{
	while (keys->count)
		forget_first(keys);
}
