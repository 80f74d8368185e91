/* SPDX-License-Identifier: ISC */
#include "lib/auth/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/base64.h"
#include "lib/base/num.h"

/* One form of the password: the text behind its {SCHEME}. */
typedef int form_fn(
    struct user_entry *entry, struct slice text, enum digest_kind kind, struct err *err);

static bool copy(struct slice text, char *out, size_t size)
{
	if (text.len == 0 || text.len >= size || slice_has(text, '\0'))
		return false;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return true;
}

static int take_hash(
    struct user_entry *entry, struct slice text, enum digest_kind kind, struct err *err)
{
	(void)kind;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 127)
			return err_set(err, EINVAL, "expected a password hash of crypt(5)");
	/* what stands for a locked account in shadow(5) is locked here, too */
	if (text.len > 0 && (text.data[0] == '!' || text.data[0] == '*')) {
		entry->disabled = true;
		return 0;
	}
	if (!copy(text, entry->hash, sizeof(entry->hash)))
		return err_set(err, EINVAL, "expected a password hash of crypt(5)");
	return 0;
}

static int take_plain(
    struct user_entry *entry, struct slice text, enum digest_kind kind, struct err *err)
{
	(void)kind;
	if (!copy(text, entry->password, sizeof(entry->password)))
		return err_set(err, EINVAL, "{PLAIN}: expected a password of 1 to %d bytes",
		    ENTRY_PASSWORD_MAX - 1);
	return 0;
}

static int take_plain_base64(
    struct user_entry *entry, struct slice text, enum digest_kind kind, struct err *err)
{
	struct str password = {.max = ENTRY_PASSWORD_MAX};
	int result = -1;

	str_reserve(&password, ENTRY_PASSWORD_MAX);
	if (base64_decode(&password, text.data, text.len) == 0)
		result = take_plain(entry, slice_of(str_text(&password), password.len), kind, err);
	else
		err_set(err, EINVAL, "{PLAIN.B64}: expected base64");
	digest_wipe(password.data, password.cap);
	str_fini(&password);
	return result;
}

static int keep_verifier(struct user_entry *entry, struct slice text, struct err *err)
{
	struct scram_verifier v;

	if (scram_verifier_parse(text, &v, err) < 0)
		return -1;
	entry->verifier[v.kind] = v;
	entry->has_verifier[v.kind] = true;
	digest_wipe(&v, sizeof(v));
	return 0;
}

/* Dovecot's "4096,salt,stored,server" is ours with other punctuation. */
static int take_verifier(
    struct user_entry *entry, struct slice text, enum digest_kind kind, struct err *err)
{
	static const char *const before[] = {"", ":", "$", ":"};
	struct str ours = {.max = 1024};
	size_t fields = 0;
	int result;

	str_reserve(&ours, 1024);
	str_put_text(&ours, kind == DIGEST_SHA1 ? "SCRAM-SHA-1$" : "SCRAM-SHA-256$");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == ',' && ++fields < ARRAY_LEN(before))
			str_put_text(&ours, before[fields]);
		else
			str_put_char(&ours, text.data[i]);
	}
	result = fields == 3 && !ours.overflow
	             ? keep_verifier(entry, slice_of(ours.data, ours.len), err)
	             : err_set(err, EINVAL,
	                   "{SCRAM-SHA-%s}: expected iterations,salt,StoredKey,"
	                   "ServerKey",
	                   kind == DIGEST_SHA1 ? "1" : "256");
	digest_wipe(ours.data, ours.cap);
	str_fini(&ours);
	return result;
}

static const struct form {
	const char *scheme;
	form_fn *take;
	enum digest_kind kind;
} forms[] = {
    {"{CRYPT}", take_hash, 0},
    {"{SHA512-CRYPT}", take_hash, 0},
    {"{SHA256-CRYPT}", take_hash, 0},
    {"{BLF-CRYPT}", take_hash, 0},
    {"{SCRAM-SHA-256}", take_verifier, DIGEST_SHA256},
    {"{SCRAM-SHA-1}", take_verifier, DIGEST_SHA1},
    {"{PLAIN}", take_plain, 0},
    {"{PLAIN.B64}", take_plain_base64, 0},
};

static int take_word(struct user_entry *entry, struct slice word, struct err *err)
{
	const char *end = word.len ? memchr(word.data, '}', word.len) : NULL;
	size_t len = end ? (size_t)(end - word.data) + 1 : 0;

	if (slice_eq(word, "disabled")) {
		entry->disabled = true;
		return 0;
	}
	if (word.len > 5 && memcmp(word.data, "user=", 5) == 0) {
		if (!copy(slice_of(word.data + 5, word.len - 5), entry->user, sizeof(entry->user)))
			return err_set(err, EINVAL, "user=: longer than %d bytes", ENTRY_NAME_MAX);
		return 0;
	}
	if (word.len > 6 && memcmp(word.data, "SCRAM-", 6) == 0)
		return keep_verifier(entry, word, err);
	if (word.data[0] == '$' || word.data[0] == '!' || word.data[0] == '*')
		return take_hash(entry, word, 0, err);
	for (size_t i = 0; len && i < ARRAY_LEN(forms); i++)
		if (slice_eq_nocase(slice_of(word.data, len), forms[i].scheme))
			return forms[i].take(
			    entry, slice_of(word.data + len, word.len - len), forms[i].kind, err);
	return err_set(err, EINVAL,
	    "expected password hashes ($y$..., $6$..., $2b$...), SCRAM verifiers "
	    "(SCRAM-SHA-256$...), {PLAIN}password, user=name or disabled");
}

/* The next word of *rest; false at the end. */
static bool next_word(struct slice *rest, struct slice *out)
{
	size_t at = 0, start;

	while (at < rest->len && strchr(" \t\r\n", rest->data[at]) && rest->data[at])
		at++;
	for (start = at; at < rest->len && (!rest->data[at] || !strchr(" \t\r\n", rest->data[at]));
	     at++)
		;
	*out = slice_of(rest->data + start, at - start);
	*rest = slice_of(rest->data + at, rest->len - at);
	return out->len > 0;
}

int user_entry_parse(struct slice text, struct user_entry *out, struct err *err)
{
	bool known;
	struct slice word;

	*out = (struct user_entry){0};
	while (next_word(&text, &word)) {
		if (take_word(out, word, err) < 0) {
			user_entry_wipe(out);
			return -1;
		}
	}
	known = out->hash[0] || out->password[0] || out->disabled;
	for (size_t i = 0; i < ARRAY_LEN(out->has_verifier); i++)
		known |= out->has_verifier[i];
	return known ? 0 : err_set(err, EINVAL, "expected a password in some form");
}

void user_entry_wipe(struct user_entry *entry)
{
	digest_wipe(entry, sizeof(*entry));
}

int token_entry_parse(struct slice text, struct token_entry *out, struct err *err)
{
	struct slice word, value;
	uint64_t n;

	*out = (struct token_entry){0};
	while (next_word(&text, &word)) {
		const char *equals = memchr(word.data, '=', word.len);

		if (!equals)
			return err_set(err, EINVAL, "expected user=, expires=, scope=, active=");
		value = slice_of(equals + 1, (size_t)(word.data + word.len - (equals + 1)));
		word.len = (size_t)(equals - word.data);
		if (slice_eq(word, "user")) {
			if (!copy(value, out->user, sizeof(out->user)))
				return err_set(err, EINVAL, "user=: expected a login name");
		} else if (slice_eq(word, "expires") || slice_eq(word, "exp")) {
			if (!num_u64(value.data, value.len, INT64_MAX, &n) || n == 0)
				return err_set(
				    err, EINVAL, "expires=: expected seconds since 1970");
			out->expires = (int64_t)n;
		} else if (slice_eq(word, "scope")) {
			out->scope = value;
		} else if (slice_eq(word, "active")) {
			out->inactive = !slice_eq(value, "true") && !slice_eq(value, "yes");
		} else {
			return err_set(err, EINVAL, "expected user=, expires=, scope=, active=");
		}
	}
	if (!out->user[0])
		return err_set(err, EINVAL, "expected user=NAME");
	return 0;
}

bool token_entry_allows(const struct token_entry *entry, const char *wanted)
{
	struct slice rest = entry->scope;

	if (!*wanted)
		return true;
	while (rest.len > 0) {
		const char *comma = memchr(rest.data, ',', rest.len);
		size_t len = comma ? (size_t)(comma - rest.data) : rest.len;

		if (slice_eq(slice_of(rest.data, len), wanted))
			return true;
		rest = comma ? slice_of(comma + 1, rest.len - len - 1) : slice_of(NULL, 0);
	}
	return false;
}
