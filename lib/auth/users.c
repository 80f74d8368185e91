/* SPDX-License-Identifier: ISC */
#include "lib/auth/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/auth/entry.h"
#include "lib/auth/password.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "lib/table/table.h"

enum {
	SAMPLES_MAX = 32,    /* entries that are looked at to learn how passwords are kept */
	TOKEN_KEY_MAX = 255, /* a longer token is in the table by its digest only */
};

struct users {
	struct auth auth;
	struct table_chain *maps, *tokens;
	char *token_scope, *domain;
	struct sasl_backend backend;
	unsigned char decoy_key[DIGEST_LEN_MAX];
	bool scram[3];           /* by enum digest_kind: entries have what it needs */
	struct user_entry decoy; /* what unknown users are measured against */
	struct sasl_server *exchange;
	struct str login; /* of the user looked up last */
};

/* ---- looking up ----------------------------------------------------------------------------- */

static void make_key(const struct users *u, const char *name, struct str *out)
{
	str_put_text(out, name);
	if (*u->domain && !strchr(name, '@'))
		str_printf(out, "@%s", u->domain);
	text_lower(out->data);
}

static enum sasl_answer find(struct users *u, const char *name, struct user_entry *out)
{
	struct str key = {0}, value = {0};
	enum table_answer answer;
	enum sasl_answer result = SASL_NO;
	struct err err = {.text = ""};

	make_key(u, name, &key);
	answer = table_chain_get(u->maps, key.data, &value, &err);
	if (answer == TABLE_ERROR) {
		log_warn("smtpd_sasl_path: lookup of user \"%s\": %s", key.data, err.text);
		result = SASL_TRY_LATER;
	} else if (answer == TABLE_FOUND) {
		if (user_entry_parse(slice_of(str_text(&value), value.len), out, &err) == 0) {
			result = SASL_YES;
		} else {
			log_warn("smtpd_sasl_path: entry of user \"%s\": %s", key.data, err.text);
			result = SASL_TRY_LATER;
		}
	}
	str_clear(&u->login);
	str_put_text(&u->login, result == SASL_YES && out->user[0] ? out->user : key.data);
	if (value.data)
		digest_wipe(value.data, value.cap);
	str_fini(&value);
	str_fini(&key);
	return result;
}

/* ---- checking ------------------------------------------------------------------------------- */

/* Two texts by their digests, so that neither length nor content shows in the time. */
static bool same_text(const char *a, const char *b)
{
	unsigned char x[DIGEST_LEN_MAX], y[DIGEST_LEN_MAX];

	return digest_hash(DIGEST_SHA256, slice_text(a), x) == 0 &&
	       digest_hash(DIGEST_SHA256, slice_text(b), y) == 0 && digest_equal(x, y, sizeof(x));
}

/* 1: right, 0: wrong, -1 with err. */
static int compare(const struct user_entry *entry, const char *password, struct err *err)
{
	static const enum digest_kind kinds[] = {DIGEST_SHA256, DIGEST_SHA1};
	bool match;

	if (entry->password[0])
		return same_text(entry->password, password);
	if (entry->hash[0])
		return password_check(entry->hash, password, &match, err) < 0 ? -1 : match;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (entry->has_verifier[kinds[i]])
			return scram_verifier_check(
			    &entry->verifier[kinds[i]], slice_text(password));
	return 0;
}

static enum sasl_answer check_password(void *arg, const char *user, const char *password)
{
	struct users *u = arg;
	struct user_entry entry;
	enum sasl_answer answer = find(u, user, &entry);
	struct err err = {.text = ""};
	int match;

	if (answer == SASL_TRY_LATER)
		return answer;
	if (answer == SASL_NO) {
		compare(&u->decoy, password, &err);
		return answer;
	}
	match = compare(&entry, password, &err);
	if (match < 0) {
		log_warn("smtpd_sasl_path: entry of user \"%s\": %s", user, err.text);
		answer = SASL_TRY_LATER;
	} else {
		answer = match && !entry.disabled ? SASL_YES : SASL_NO;
	}
	user_entry_wipe(&entry);
	return answer;
}

/* The salt of who is not there, and of who has a password and no verifier: always the same. */
static int fixed_salt(const struct users *u, const char *name, unsigned char *mac)
{
	return digest_hmac(DIGEST_SHA256,
	    slice_of((const char *)u->decoy_key, sizeof(u->decoy_key)), slice_text(name), mac);
}

static enum sasl_answer give_verifier(
    void *arg, const char *user, enum digest_kind kind, struct scram_verifier *out)
{
	struct users *u = arg;
	unsigned char mac[DIGEST_LEN_MAX];
	struct user_entry entry;
	enum sasl_answer answer = find(u, user, &entry);
	struct slice password;

	if (answer != SASL_YES)
		return answer;
	password = slice_text(entry.password);
	if (entry.disabled || (!entry.has_verifier[kind] && password.len == 0)) {
		answer = SASL_NO;
	} else if (entry.has_verifier[kind]) {
		*out = entry.verifier[kind];
	} else if (fixed_salt(u, user, mac) < 0 ||
	           scram_verifier_make(kind, password, slice_of((const char *)mac, 16),
	               u->backend.decoy_iterations, out) < 0) {
		answer = SASL_TRY_LATER;
	}
	user_entry_wipe(&entry);
	return answer;
}

/* In the table by its digest, or as it is. */
static enum table_answer find_token(
    struct users *u, const char *token, struct str *out, struct err *err)
{
	unsigned char digest[DIGEST_LEN_MAX];
	struct str key = {0};
	enum table_answer answer;

	if (digest_hash(DIGEST_SHA256, slice_text(token), digest) < 0) {
		err_set(err, 0, "SHA-256 is not to be had");
		return TABLE_ERROR;
	}
	str_put_text(&key, "sha256:");
	for (size_t i = 0; i < digest_len(DIGEST_SHA256); i++)
		str_printf(&key, "%02x", digest[i]);
	answer = table_chain_get(u->tokens, key.data, out, err);
	str_fini(&key);
	if (answer == TABLE_NOT_FOUND && strlen(token) <= TOKEN_KEY_MAX)
		answer = table_chain_get(u->tokens, token, out, err);
	return answer;
}

static enum sasl_answer check_token(
    void *arg, const char *user, const char *token, struct str *user_out)
{
	struct users *u = arg;
	struct str value = {0}, wanted = {0};
	struct token_entry entry;
	struct err err = {.text = ""};
	enum sasl_answer answer = SASL_NO;
	enum table_answer found = find_token(u, token, &value, &err);

	str_clear(&u->login);
	if (found == TABLE_FOUND &&
	    token_entry_parse(slice_of(str_text(&value), value.len), &entry, &err) < 0)
		found = TABLE_ERROR;
	if (found == TABLE_ERROR) {
		log_warn("smtpd_sasl_token_maps: lookup of a token: %s", err.text);
		answer = SASL_TRY_LATER;
	} else if (found == TABLE_FOUND) {
		make_key(u, user, &wanted);
		text_lower(entry.user);
		if (!entry.inactive &&
		    (entry.expires == 0 || entry.expires > clock_wall_us() / 1000000) &&
		    token_entry_allows(&entry, u->token_scope) &&
		    (!*user || text_eq_nocase(entry.user, user) ||
		        text_eq_nocase(entry.user, str_text(&wanted))))
			answer = SASL_YES;
		str_put_text(user_out, entry.user);
	}
	str_fini(&wanted);
	str_fini(&value);
	return answer;
}

/* ---- one exchange --------------------------------------------------------------------------- */

static int list_mechanisms(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err)
{
	struct users *u = (struct users *)auth;
	const struct sasl_mechanism *m;

	(void)err;
	for (size_t i = 0; (m = sasl_mechanism_at(i)); i++) {
		if (!m->server || (m->kind == SASL_SCRAM_SHA_256 && !u->scram[DIGEST_SHA256]) ||
		    (m->kind == SASL_SCRAM_SHA_1 && !u->scram[DIGEST_SHA1]) ||
		    (m->bearer && !u->backend.token))
			continue;
		each(arg, m->name, m->security);
	}
	return 0;
}

static enum sasl_verdict step(struct auth *auth, struct slice response, struct auth_answer *out)
{
	struct users *u = (struct users *)auth;
	enum sasl_verdict verdict;
	const char *name;

	if (!u->exchange)
		return SASL_REFUSED;
	verdict = sasl_server_step(u->exchange, response, &out->challenge);
	name = sasl_server_user(u->exchange);
	str_clear(&out->user);
	str_put_text(
	    &out->user, verdict == SASL_ACCEPTED && u->login.len ? str_text(&u->login) : name);
	if (verdict == SASL_LATER)
		str_put_text(&out->reason, auth_unavailable);
	else if (verdict == SASL_MALFORMED)
		str_put_text(&out->reason, "Malformed response");
	else if (verdict == SASL_REFUSED)
		str_put_text(&out->reason, "authentication failure");
	if (verdict != SASL_CONTINUE)
		sasl_server_free(&u->exchange);
	return verdict;
}

static enum sasl_verdict begin(
    struct auth *auth, const struct auth_request *request, struct auth_answer *out)
{
	struct users *u = (struct users *)auth;
	const struct sasl_mechanism *m = sasl_mechanism_find(slice_text(request->mechanism));

	sasl_server_free(&u->exchange);
	str_clear(&u->login);
	u->exchange = m ? sasl_server_new(m, &u->backend) : NULL;
	return step(auth, request->initial, out);
}

static void cancel(struct auth *auth)
{
	sasl_server_free(&((struct users *)auth)->exchange);
}

static enum table_age tables_age(const struct auth *auth)
{
	const struct users *u = (const struct users *)auth;

	return MAX(table_chain_age(u->maps), table_chain_age(u->tokens));
}

static void free_users(struct auth *auth)
{
	struct users *u = (struct users *)auth;

	sasl_server_free(&u->exchange);
	table_chain_close(&u->maps);
	table_chain_close(&u->tokens);
	str_fini(&u->login);
	free(u->token_scope);
	free(u->domain);
	digest_wipe(u, sizeof(*u));
	free(u);
}

/* ---- the beginning -------------------------------------------------------------------------- */

/*
 * The same in all processes and over restarts, and nobody's elsewhere to know. Without any name of
 * this machine to be had, who asks twice may tell users that there are from those that are not.
 */
static void make_decoy_key(struct users *u)
{
	static const char *const sources[] = {
	    "/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/random/boot_id"};
	struct str text = {0};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(sources) && text.len == 0; i++)
		if (fd_read_file(sources[i], 4096, &text, &err) < 0)
			str_clear(&text);
	if (text.len == 0 ||
	    digest_hmac(DIGEST_SHA256, slice_text("postern: users that there are not"),
	        slice_of(text.data, text.len), u->decoy_key) < 0)
		(void)!getrandom(u->decoy_key, sizeof(u->decoy_key), 0);
	str_fini(&text);
}

static void learn(struct users *u, const struct user_entry *entry, bool first)
{
	if (entry->disabled)
		return;
	for (size_t i = 0; i < ARRAY_LEN(u->scram); i++)
		if (!entry->has_verifier[i] && !entry->password[0])
			u->scram[i] = false;
	if (!first)
		return;
	u->decoy = *entry;
	if (entry->has_verifier[DIGEST_SHA256])
		u->backend.decoy_iterations = entry->verifier[DIGEST_SHA256].iterations;
	else if (entry->has_verifier[DIGEST_SHA1])
		u->backend.decoy_iterations = entry->verifier[DIGEST_SHA1].iterations;
}

static void learn_from(struct users *u, const char *name)
{
	struct str key = {0}, value = {0};
	struct user_entry entry;
	struct table *table;
	struct err err;
	bool first = true;

	if (table_open(name, TABLE_FOLD_KEY, &table, &err) < 0)
		return; /* the chain has logged it */
	for (int i = 0; i < SAMPLES_MAX && table_next(table, i == 0, &key, &value, &err) > 0; i++) {
		if (user_entry_parse(slice_of(str_text(&value), value.len), &entry, &err) < 0)
			continue;
		learn(u, &entry, first && u->decoy.hash[0] == '\0' && !u->decoy.password[0]);
		first = first && entry.disabled;
		user_entry_wipe(&entry);
	}
	table_close(&table);
	if (value.data)
		digest_wipe(value.data, value.cap);
	str_fini(&value);
	str_fini(&key);
}

static void learn_all(struct users *u, const char *maps)
{
	const char *cursor = maps;
	struct str hash = {0};
	struct slice item;
	struct err err;

	u->backend.decoy_iterations = SCRAM_ITERATIONS;
	u->scram[DIGEST_SHA256] = u->scram[DIGEST_SHA1] = true;
	while (table_list_next(&cursor, &item)) {
		char *name = alloc_strndup(item.data, item.len);

		learn_from(u, name);
		free(name);
	}
	if (u->decoy.hash[0] || u->decoy.password[0] || u->decoy.has_verifier[DIGEST_SHA256] ||
	    u->decoy.has_verifier[DIGEST_SHA1])
		return;
	if (password_hash("nobody's", NULL, &hash, &err) == 0)
		snprintf(u->decoy.hash, sizeof(u->decoy.hash), "%s", str_text(&hash));
	str_fini(&hash);
}

struct auth *auth_users_new(const struct auth_users_config *config)
{
	static const struct auth_ops ops = {
	    list_mechanisms, begin, step, cancel, free_users, AUTH_WORDS, tables_age};
	struct users *u = alloc_zero(1, sizeof(*u));

	u->auth.ops = &ops;
	u->maps = table_chain_open(config->maps, TABLE_FOLD_KEY);
	u->tokens = table_chain_open(config->token_maps, 0);
	u->token_scope = alloc_strdup(config->token_scope);
	u->domain = alloc_strdup(config->domain);
	make_decoy_key(u);
	learn_all(u, config->maps);
	u->backend.password = check_password;
	u->backend.verifier = give_verifier;
	u->backend.token = table_chain_empty(u->tokens) ? NULL : check_token;
	u->backend.arg = u;
	u->backend.decoy_key = slice_of((const char *)u->decoy_key, sizeof(u->decoy_key));
	return &u->auth;
}
