/* SPDX-License-Identifier: ISC */
/*
 * Levels, and the value of a policy table: a level, then attributes, each by one row of a table.
 * What an attribute means at a level that has no use for it is an error, as in Postfix: a policy
 * that an administrator believes in must not be less than it says.
 */
#include "smtp/policy.h"

#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const level_names[] = {[LEVEL_NONE] = "none",
    [LEVEL_MAY] = "may",
    [LEVEL_ENCRYPT] = "encrypt",
    [LEVEL_FINGERPRINT] = "fingerprint",
    [LEVEL_HALF_DANE] = "half-dane",
    [LEVEL_DANE] = "dane",
    [LEVEL_DANE_ONLY] = "dane-only",
    [LEVEL_VERIFY] = "verify",
    [LEVEL_SECURE] = "secure"};

const char *policy_level_name(enum tls_level level)
{
	return level < 0 || level >= LEVEL_UNSET ? "invalid" : level_names[level];
}

enum tls_level policy_level(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
		if (i != LEVEL_HALF_DANE && slice_eq_nocase(name, level_names[i]))
			return (enum tls_level)i;
	return LEVEL_INVALID;
}

static struct conf_list *split(struct arena *arena, struct slice text, const char *separators)
{
	struct conf_list *list = arena_zero(arena, 1, sizeof(*list));
	const char **items = arena_zero(arena, text.len / 2 + 2, sizeof(*items));
	const char *at = text.data, *end = text.data + text.len;

	while (at < end) {
		size_t len = 0;

		while (at + len < end && !strchr(separators, at[len]))
			len++;
		if (len)
			items[list->count++] = arena_strndup(arena, at, len);
		at += len + 1;
	}
	list->items = items;
	return list;
}

/* ---- the value of a policy table ------------------------------------------------------------- */

struct attribute {
	struct slice name, value;
};

static int set_protocols(
    struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	struct tls_protocols bounds;
	char *text = arena_strndup(arena, value.data, value.len);

	for (char *c = text; *c; c++)
		if (*c == ';')
			*c = ':';
	out->protocols = text;
	return tls_protocols_parse(text, &bounds, err);
}

static int set_grade(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	static const char *const grades[] = {"null", "export", "low", "medium", "high"};

	(void)arena;
	for (size_t i = 0; i < ARRAY_LEN(grades); i++) {
		if (slice_eq_nocase(value, grades[i])) {
			out->grade = grades[i];
			return 0;
		}
	}
	return err_set(err, 0, "invalid cipher grade \"%.*s\"", SLICE_ARG(value));
}

static int set_exclude(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	(void)err;
	out->exclude = arena_strndup(arena, value.data, value.len);
	return 0;
}

/* Names are split at colons; a fingerprint has colons of its own. */
static int set_match(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	struct conf_list *more = split(arena, value, out->level == LEVEL_FINGERPRINT ? "|" : ":");

	if (out->level < LEVEL_FINGERPRINT ||
	    (out->level > LEVEL_FINGERPRINT && out->level < LEVEL_VERIFY))
		return err_set(err, 0, "attribute \"match\" has no meaning at level %s",
		    policy_level_name(out->level));
	if (out->match && out->match->count) {
		/* the attribute may be there more than once */
		const char **items =
		    arena_zero(arena, out->match->count + more->count, sizeof(*items));

		memcpy(items, out->match->items, out->match->count * sizeof(*items));
		memcpy(items + out->match->count, more->items, more->count * sizeof(*items));
		more->items = items;
		more->count += out->match->count;
	}
	out->match = more;
	return 0;
}

static int set_anchors(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	struct conf_list *files = arena_zero(arena, 1, sizeof(*files));
	const char **items = arena_zero(arena, 1, sizeof(*items));

	if (out->level < LEVEL_VERIFY)
		return err_set(err, 0, "attribute \"tafile\" has no meaning at level %s",
		    policy_level_name(out->level));
	items[0] = arena_strndup(arena, value.data, value.len);
	files->items = items;
	files->count = 1;
	out->anchor_files = files;
	return 0;
}

static int set_servername(
    struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	(void)err;
	out->servername = arena_strndup(arena, value.data, value.len);
	return 0;
}

static int ignore(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	(void)arena, (void)out;
	if (slice_eq_nocase(value, "yes") || slice_eq_nocase(value, "no"))
		return 0;
	return err_set(err, 0, "\"%.*s\": expected yes or no", SLICE_ARG(value));
}

static int set_reuse(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	out->reuse = slice_eq_nocase(value, "yes");
	return ignore(arena, value, out, err);
}

static int accept_any(struct arena *arena, struct slice value, struct policy *out, struct err *err)
{
	(void)arena, (void)value, (void)out, (void)err;
	return 0;
}

static int set_attribute(
    const struct attribute *a, struct arena *arena, struct policy *out, struct err *err)
{
	static const struct {
		const char *name;
		int (*set)(
		    struct arena *arena, struct slice value, struct policy *out, struct err *err);
	} attributes[] = {
	    {"protocols", set_protocols},
	    {"ciphers", set_grade},
	    {"exclude", set_exclude},
	    {"match", set_match},
	    {"tafile", set_anchors},
	    {"servername", set_servername},
	    {"connection_reuse", set_reuse},
	    {"enable_rpk", ignore},
	    /* what policy servers say for reports (TLSRPT) */
	    {"policy_type", accept_any},
	    {"policy_domain", accept_any},
	    {"policy_string", accept_any},
	    {"policy_ttl", accept_any},
	    {"policy_failure", accept_any},
	    {"mx_host_pattern", accept_any},
	};

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (slice_eq_nocase(a->name, attributes[i].name))
			return attributes[i].set(arena, a->value, out, err);
	return err_set(err, 0, "unknown attribute \"%.*s\"", SLICE_ARG(a->name));
}

/* The next word of text; "{ name = value }" is one, without its braces. */
static bool next_word(const char **text, struct slice *word, bool *braced)
{
	static const char blanks[] = ", \t\r\n";

	*text += strspn(*text, blanks);
	if (!**text)
		return false;
	*braced = **text == '{';
	if (*braced && strchr(*text, '}')) {
		const char *end = strchr(*text, '}');

		*word = slice_trim(slice_of(*text + 1, (size_t)(end - *text) - 1));
		*text = end + 1;
	} else {
		*word = slice_of(*text, strcspn(*text, blanks));
		*text += word->len;
	}
	return true;
}

int policy_parse(const char *value, struct arena *arena, struct policy *out, struct err *err)
{
	struct slice word;
	bool braced;

	if (!next_word(&value, &word, &braced))
		return err_set(err, 0, "an empty value: expected a security level");
	out->level = policy_level(word);
	if (out->level == LEVEL_INVALID)
		return err_set(err, 0, "invalid security level \"%.*s\"", SLICE_ARG(word));
	out->match = NULL;
	while (next_word(&value, &word, &braced)) {
		const char *equals = memchr(word.data, '=', word.len);
		size_t at = equals ? (size_t)(equals - word.data) : 0;
		struct attribute a;

		if (!equals)
			return err_set(err, 0, "malformed attribute \"%.*s\": expected name=value",
			    SLICE_ARG(word));
		a.name = slice_trim(slice_of(word.data, at));
		a.value = slice_trim(slice_of(word.data + at + 1, word.len - at - 1));
		if (out->level == LEVEL_NONE)
			return err_set(err, 0, "attribute \"%.*s\" has no meaning at level none",
			    SLICE_ARG(a.name));
		if (!a.value.len)
			return err_set(
			    err, 0, "attribute \"%.*s\" has no value", SLICE_ARG(a.name));
		if (set_attribute(&a, arena, out, err) < 0)
			return -1;
	}
	return 0;
}
