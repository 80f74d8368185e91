/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/table/pattern.h"

static bool prepare(struct pattern_subject *subject)
{
	return prefix_parse_address(subject->text, &subject->address);
}

static void *compile(struct slice *line, int *groups_out, struct err *err)
{
	struct prefix prefix, *compiled;
	size_t len = 0;

	while (len < line->len && line->data[len] != ' ' && line->data[len] != '\t')
		len++;
	if (prefix_parse(slice_of(line->data, len), &prefix, err) < 0)
		return NULL;
	*line = slice_of(line->data + len, line->len - len);
	*groups_out = -1;
	compiled = alloc(sizeof(*compiled));
	*compiled = prefix;
	return compiled;
}

static int match(
    const void *compiled, struct pattern_subject *subject, bool want_groups, struct err *err)
{
	(void)want_groups;
	(void)err;
	if (((const struct prefix *)compiled)->size != subject->address.size)
		return PATTERN_OTHER_KIND;
	return prefix_match(compiled, &subject->address);
}

const struct pattern_engine pattern_cidr = {prepare, compile, match, free};

static int cidr_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	(void)depth;
	return pattern_open(&pattern_cidr, name, flags, state_out, err);
}

const struct table_type table_type_cidr = {.name = "cidr",
    .pattern = true,
    .file = pattern_file,
    .open = cidr_open,
    .get = pattern_get,
    .next_rule = pattern_next_rule,
    .close = pattern_close};
