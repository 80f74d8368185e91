/* SPDX-License-Identifier: ISC */
/*
 * Perl-compatible expressions (PCRE2). A key is often a peer's text: the library's limits on
 * matching are left on, and a match that runs into one is an error of the lookup (the caller
 * defers), never an endless loop.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/table/pattern.h"

enum { MATCH_LIMIT = 1000000 };

struct compiled {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint32_t groups;
};

static const struct {
	char letter;
	uint32_t option;
} flag_letters[] = {
    {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL}, {'x', PCRE2_EXTENDED},
    {'A', PCRE2_ANCHORED}, {'E', PCRE2_DOLLAR_ENDONLY}, {'U', PCRE2_UNGREEDY},
    {'X', 0}, /* strict escapes: always on in this library */
};

static int parse_flags(struct slice text, uint32_t *flags_out, struct err *err)
{
	*flags_out = PCRE2_CASELESS | PCRE2_DOTALL;
	for (size_t i = 0; i < text.len; i++) {
		size_t f = 0;

		while (f < ARRAY_LEN(flag_letters) && flag_letters[f].letter != text.data[i])
			f++;
		if (f == ARRAY_LEN(flag_letters))
			return err_set(err, 0, "unknown flag \"%c\": expected i, m, s, x, A, E, U",
			    text.data[i]);
		*flags_out ^= flag_letters[f].option;
	}
	return 0;
}

static void *compile(struct slice *line, int *groups_out, struct err *err)
{
	struct slice pattern, flag_text;
	struct compiled *c;
	pcre2_code *code;
	PCRE2_SIZE at;
	uint32_t flags;
	char why[256];
	int rc;

	if (pattern_split(line, &pattern, &flag_text, err) < 0 ||
	    parse_flags(flag_text, &flags, err) < 0)
		return NULL;
	code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len, flags, &rc, &at, NULL);
	if (!code) {
		pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof(why));
		err_set(err, 0, "/%.*s/: %s at offset %zu", SLICE_ARG(pattern), why, (size_t)at);
		return NULL;
	}
	c = alloc_zero(1, sizeof(*c));
	c->code = code;
	c->data = pcre2_match_data_create_from_pattern(code, NULL);
	c->context = pcre2_match_context_create(NULL);
	if (c->context)
		pcre2_set_match_limit(c->context, MATCH_LIMIT);
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &c->groups);
	*groups_out = (int)MIN(c->groups, (uint32_t)PATTERN_GROUPS_MAX - 1);
	return c;
}

static int match(
    const void *compiled, struct pattern_subject *subject, bool want_groups, struct err *err)
{
	const struct compiled *c = compiled;
	const PCRE2_SIZE *at;
	char why[256];
	int rc = pcre2_match(
	    c->code, (PCRE2_SPTR)subject->text, subject->len, 0, 0, c->data, c->context);

	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	if (rc < 0) {
		pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, sizeof(why));
		return err_set(err, 0, "match: %s", why);
	}
	at = pcre2_get_ovector_pointer(c->data);
	for (int i = 0; want_groups && i < PATTERN_GROUPS_MAX; i++) {
		subject->groups[i] = slice_of("", 0);
		if (i < rc && at[2 * i] != PCRE2_UNSET)
			subject->groups[i] =
			    slice_of(subject->text + at[2 * i], at[2 * i + 1] - at[2 * i]);
	}
	return 1;
}

static void free_compiled(void *compiled)
{
	struct compiled *c = compiled;

	pcre2_match_data_free(c->data);
	pcre2_match_context_free(c->context);
	pcre2_code_free(c->code);
	free(c);
}

const struct pattern_engine pattern_pcre = {NULL, compile, match, free_compiled};

static int pcre_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	(void)depth;
	return pattern_open(&pattern_pcre, name, flags, state_out, err);
}

const struct table_type table_type_pcre = {.name = "pcre",
    .pattern = true,
    .no_fold = true,
    .file = pattern_file,
    .open = pcre_open,
    .get = pattern_get,
    .next_rule = pattern_next_rule,
    .close = pattern_close};
