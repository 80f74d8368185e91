/* SPDX-License-Identifier: ISC */
#include "smtp/token.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "lib/sasl/token.h"
#include "lib/sys/capture.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/tls/digest.h"

enum { WORDS_MAX = 64 };

struct token_store {
	const struct smtp_auth_params *params;
	struct map *tokens; /* "source LF user LF server" -> struct kept */
};

struct kept {
	char *token;
	int64_t until_ms;
};

struct token_store *token_store_new(const struct smtp_auth_params *params)
{
	struct token_store *store = alloc_zero(1, sizeof(*store));

	store->params = params;
	store->tokens = map_new();
	return store;
}

static void kept_free(void *value)
{
	struct kept *kept = value;

	if (!kept)
		return;
	digest_wipe(kept->token, strlen(kept->token));
	free(kept->token);
	free(kept);
}

void token_store_free(struct token_store **store)
{
	if (!*store)
		return;
	map_free(&(*store)->tokens, kept_free);
	free(*store);
	*store = NULL;
}

static char *key_of(const struct token_wish *wish)
{
	return alloc_printf("%s\n%s\n%s", wish->source, wish->user, wish->server);
}

void token_forget(struct token_store *store, const struct token_wish *wish)
{
	char *key = key_of(wish);

	kept_free(map_remove(store->tokens, key));
	free(key);
}

static int run_command(const struct token_store *store, const struct token_wish *wish,
    const char *command, struct arena *arena, struct str *out, struct err *err)
{
	char *words[WORDS_MAX + 1], *save = NULL, *copy = arena_strdup(arena, command);
	char *env[] = {arena_strdup(arena, "PATH=/usr/bin:/bin"),
	    arena_printf(arena, "SASL_USERNAME=%s", wish->user),
	    arena_printf(arena, "SASL_SERVER=%s", wish->server), NULL};
	size_t count = 0;

	for (char *w = strtok_r(copy, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (count == WORDS_MAX)
			return err_set(err, 0, "more than %d words", WORDS_MAX);
		words[count++] = w;
	}
	words[count] = NULL;
	if (count == 0 || words[0][0] != '/')
		return err_set(err, 0, "expected the full path of a program");
	return capture_run(
	    words, env, clock_ms_of(store->params->token_time_limit), TOKEN_TEXT_MAX, out, err);
}

static int fetch(const struct token_store *store, const struct token_wish *wish,
    struct arena *arena, struct token_text *out, bool *keep_out, struct err *err)
{
	const char *colon = strchr(wish->source, ':');
	struct slice scheme = slice_of(wish->source, colon ? (size_t)(colon - wish->source) : 0);
	struct str text = {0};
	int rc;

	*keep_out = slice_eq(scheme, "command");
	if (*keep_out)
		rc = run_command(store, wish, colon + 1, arena, &text, err);
	else if (slice_eq(scheme, "file") && colon[1] == '/')
		rc = fd_read_file(colon + 1, TOKEN_TEXT_MAX, &text, err);
	else
		rc = err_set(err, 0, "expected file:/path or command:/path");
	if (rc == 0)
		rc = token_text_parse(slice_of(str_text(&text), text.len), out, err);
	if (text.len)
		digest_wipe(text.data, text.len);
	str_fini(&text);
	return rc < 0 ? err_prefix(err, "token of %s: ", wish->user) : 0;
}

static void keep(struct token_store *store, const char *key, const struct token_text *text)
{
	const struct smtp_auth_params *p = store->params;
	int lifetime = text->lifetime < 0 ? p->token_lifetime : text->lifetime;
	struct kept *kept;

	/* what lives no longer than the margin is used once */
	if (text->lifetime >= 0)
		lifetime -= p->token_margin;
	if (lifetime <= 0)
		return;
	kept = alloc_zero(1, sizeof(*kept));
	kept->token = alloc_strdup(str_text(&text->token));
	kept->until_ms = clock_mono_ms() + (int64_t)lifetime * 1000;
	kept_free(map_put(store->tokens, key, kept));
}

int token_get(struct token_store *store, const struct token_wish *wish, struct arena *arena,
    const char **token_out, bool *fresh_out, struct err *err)
{
	char *key = key_of(wish);
	struct kept *kept = map_get(store->tokens, key);
	struct token_text text = {.lifetime = -1};
	bool may_keep;
	int rc = 0;

	*fresh_out = !kept || clock_mono_ms() >= kept->until_ms;
	if (!*fresh_out) {
		*token_out = arena_strdup(arena, kept->token);
	} else {
		token_forget(store, wish);
		rc = fetch(store, wish, arena, &text, &may_keep, err);
		if (rc == 0)
			*token_out = arena_strdup(arena, str_text(&text.token));
		if (rc == 0 && may_keep)
			keep(store, key, &text);
	}
	token_text_fini(&text);
	free(key);
	return rc;
}
