/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/table/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The parser of rules, values and if/endif, with an engine that finds fixed strings: what is under
 * test is ours, not the C library's regcomp(). Its one group is the whole match.
 */
static void *compile(struct slice *line, int *groups_out, struct err *err)
{
	struct slice pattern, flags;

	if (pattern_split(line, &pattern, &flags, err) < 0)
		return NULL;
	*groups_out = 1;
	return alloc_strndup(pattern.data, pattern.len);
}

static int match(
    const void *compiled, struct pattern_subject *subject, bool want_groups, struct err *err)
{
	const char *at = strstr(subject->text, compiled);

	(void)err;
	if (at && want_groups)
		subject->groups[1] = slice_of(at, strlen(compiled));
	return at != NULL;
}

static const struct pattern_engine engine = {NULL, compile, match, free};

/* The first line is the key, the rest the table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data, *lf = size ? memchr(in, '\n', size) : NULL;
	size_t key_len = lf ? (size_t)(lf - in) : size, skip = key_len + (lf ? 1 : 0);
	static int null = -1;
	struct str key = {0}, value = {0};
	struct err err;
	void *table;

	if (null < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		log_open(LOG_TO_FD, null, 0);
	}
	str_put(&key, in, key_len);
	table = pattern_open_text(&engine, "fuzz", (int)size & 3, slice_of(in + skip, size - skip));
	must(pattern_get(table, str_text(&key), &value, &err) != TABLE_ERROR);
	pattern_close(table);
	str_fini(&key);
	str_fini(&value);
	return 0;
}
