/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtp */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "smtp/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct smtp_content_params params = {
    .header_size_limit = 500, .mime_boundary_length_limit = 70, .mime_nesting_limit = 5};

static void run(
    const struct rewrite_plan *plan, const char *data, size_t len, size_t piece, struct str *out)
{
	struct rewrite *r = rewrite_begin(plan, out);
	struct err err;

	for (size_t at = 0; at < len; at += piece)
		must(rewrite_put(r, data + at, MIN(piece, len - at), &err) == 0);
	must(rewrite_end(&r, &err) == 0);
}

/*
 * The first byte is the size of the pieces, on which nothing depends.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rewrite_plan plan = {.params = &params, .id = "ID", .what = REWRITE_TO_7BIT};
	struct str one = {0}, other = {0};

	if (size < 1)
		return 0;
	run(&plan, (const char *)data + 1, size - 1, size, &one);
	run(&plan, (const char *)data + 1, size - 1, (size_t)data[0] + 1, &other);
	must(one.len == other.len && memcmp(str_text(&one), str_text(&other), one.len) == 0);
	str_fini(&one);
	str_fini(&other);
	return 0;
}
