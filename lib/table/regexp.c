/* SPDX-License-Identifier: ISC */
/* POSIX regular expressions. Flags toggle: i (case ignored, on), x (extended, on), m (lines, off).
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/table/pattern.h"

static int parse_flags(struct slice text, int *flags_out, struct err *err)
{
	*flags_out = REG_EXTENDED | REG_ICASE;
	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case 'i':
			*flags_out ^= REG_ICASE;
			break;
		case 'x':
			*flags_out ^= REG_EXTENDED;
			break;
		case 'm':
			*flags_out ^= REG_NEWLINE;
			break;
		default:
			return err_set(
			    err, 0, "unknown flag \"%c\": expected i, m or x", text.data[i]);
		}
	}
	return 0;
}

static void *compile(struct slice *line, int *groups_out, struct err *err)
{
	struct slice pattern, flag_text;
	regex_t *regex;
	char *text, why[256];
	int flags, rc;

	if (pattern_split(line, &pattern, &flag_text, err) < 0 ||
	    parse_flags(flag_text, &flags, err) < 0)
		return NULL;
	regex = alloc_zero(1, sizeof(*regex));
	text = alloc_strndup(pattern.data, pattern.len);
	rc = regcomp(regex, text, flags);
	free(text);
	if (rc != 0) {
		regerror(rc, regex, why, sizeof(why));
		err_set(err, 0, "/%.*s/: %s", SLICE_ARG(pattern), why);
		free(regex);
		return NULL;
	}
	*groups_out = (int)MIN(regex->re_nsub, (size_t)PATTERN_GROUPS_MAX - 1);
	return regex;
}

static int match(
    const void *compiled, struct pattern_subject *subject, bool want_groups, struct err *err)
{
	const regex_t *regex = compiled;
	regmatch_t found[PATTERN_GROUPS_MAX];
	int rc = regexec(regex, subject->text, want_groups ? PATTERN_GROUPS_MAX : 0, found, 0);
	char why[256];

	if (rc == REG_NOMATCH)
		return 0;
	if (rc != 0) {
		regerror(rc, regex, why, sizeof(why));
		return err_set(err, 0, "match: %s", why);
	}
	for (size_t i = 0; want_groups && i < PATTERN_GROUPS_MAX; i++) {
		subject->groups[i] = slice_of("", 0);
		if (i <= regex->re_nsub && found[i].rm_so >= 0)
			subject->groups[i] = slice_of(subject->text + found[i].rm_so,
			    (size_t)(found[i].rm_eo - found[i].rm_so));
	}
	return 1;
}

static void free_regex(void *compiled)
{
	regfree(compiled);
	free(compiled);
}

const struct pattern_engine pattern_regexp = {NULL, compile, match, free_regex};

static int regexp_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	(void)depth;
	return pattern_open(&pattern_regexp, name, flags, state_out, err);
}

const struct table_type table_type_regexp = {.name = "regexp",
    .pattern = true,
    .no_fold = true,
    .file = pattern_file,
    .open = regexp_open,
    .get = pattern_get,
    .next_rule = pattern_next_rule,
    .close = pattern_close};
