/* SPDX-License-Identifier: ISC */
#include "smtp/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/table/match.h"
#include "lib/tls/digest.h"
#include "smtp/auth.h"
#include "smtp/token.h"

struct auth *auth_open(
    const struct smtp_auth_params *params, const struct core_params *core, bool lmtp)
{
	struct auth *a;
	struct err err;

	if (!params->enable)
		return NULL;
	if (digest_load(&err) < 0)
		log_warn("%s", err.text);
	a = alloc_zero(1, sizeof(*a));
	a->params = params;
	a->core = core;
	a->family = lmtp ? "lmtp" : "smtp";
	if (!text_eq_nocase(params->type, "cyrus") && !text_eq_nocase(params->type, "builtin"))
		log_warn("%s_sasl_type = %s has no effect: the client that is built in is used",
		    a->family, params->type);
	if (*params->path)
		log_warn("%s_sasl_path has no effect: the client that is built in needs none",
		    a->family);
	a->passwords = table_chain_open(params->password_maps, TABLE_FOLD_KEY);
	a->tokens = table_chain_open(params->token_maps, 0);
	if (*params->mechanism_filter)
		a->filter =
		    match_list_open("smtp_sasl_mechanism_filter", params->mechanism_filter, 0);
	if (params->sender_dependent)
		a->local = match_list_open("mydestination", core->mydestination, 0);
	a->store = token_store_new(params);
	return a;
}

void auth_close(struct auth **auth)
{
	struct auth *a = *auth;

	if (!a)
		return;
	table_chain_close(&a->passwords);
	table_chain_close(&a->tokens);
	match_list_close(&a->filter);
	match_list_close(&a->local);
	token_store_free(&a->store);
	free(a);
	*auth = NULL;
}

enum table_age auth_age(const struct auth *auth)
{
	return auth ? MAX(table_chain_age(auth->passwords), table_chain_age(auth->tokens))
	            : TABLE_FRESH;
}

bool auth_says_dummy(const struct auth *auth)
{
	return auth && auth->params->send_dummy_mail_auth;
}

const char *login_digest(struct arena *arena, const char *first, ...)
{
	unsigned char hash[DIGEST_LEN_MAX];
	struct str text = {0}, hex = {0};
	const char *result;
	va_list ap;

	va_start(ap, first);
	for (const char *t = first; t; t = va_arg(ap, const char *))
		str_put(&text, t, strlen(t) + 1);
	va_end(ap);
	if (digest_hash(DIGEST_SHA256, slice_of(text.data, text.len), hash) < 0)
		memset(hash, 0, sizeof(hash));
	for (size_t i = 0; i < digest_len(DIGEST_SHA256); i++)
		str_printf(&hex, "%02x", hash[i]);
	result = arena_strdup(arena, str_text(&hex));
	digest_wipe(text.data, text.len);
	str_fini(&text);
	str_fini(&hex);
	return result;
}

static enum table_answer by_sender(
    const struct auth *a, const char *sender, struct str *value, struct err *err)
{
	struct slice local;
	const char *domain;
	bool ours;

	if (!a->params->sender_dependent || !*sender)
		return TABLE_NOT_FOUND;
	address_split(sender, &local, &domain);
	ours = !domain || text_eq_nocase(domain, a->core->myorigin) ||
	       match_list_text(a->local, domain, NULL) == TABLE_FOUND;
	return table_chain_get_address(
	    a->passwords, sender, a->core->recipient_delimiter, ours, value, err);
}

/* "name:password"; the delimiter may be a text. */
static void split(const struct auth *a, char *value, struct login *out)
{
	const char *delimiter = a->params->password_delimiter;
	char *at = *delimiter ? strstr(value, delimiter) : NULL;

	out->user = value;
	out->password = "";
	if (at) {
		*at = '\0';
		out->password = at + strlen(delimiter);
	}
}

static enum table_answer find_token(
    const struct auth *a, struct arena *arena, struct login *out, struct err *err)
{
	struct str value = {0};
	enum table_answer answer = table_chain_get(a->tokens, out->user, &value, err);

	out->token_source = answer == TABLE_FOUND ? arena_strdup(arena, str_text(&value)) : "";
	str_fini(&value);
	return answer;
}

enum table_answer login_find(const struct auth *a, const struct target *to, const char *host,
    struct arena *arena, struct login *out, struct err *err)
{
	struct str value = {0};
	enum table_answer answer = by_sender(a, to->request->sender, &value, err);

	if (answer == TABLE_NOT_FOUND && host)
		answer = table_chain_get(a->passwords, host, &value, err);
	if (answer == TABLE_NOT_FOUND)
		answer = table_chain_get(a->passwords, to->request->nexthop, &value, err);
	if (answer == TABLE_FOUND) {
		split(a, arena_strdup(arena, str_text(&value)), out);
		digest_wipe(value.data, value.len);
		if (!*out->user)
			answer = TABLE_NOT_FOUND;
		else if (find_token(a, arena, out, err) == TABLE_ERROR)
			answer = TABLE_ERROR;
	}
	str_fini(&value);
	return answer;
}
