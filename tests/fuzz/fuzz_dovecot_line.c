/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/auth/dovecot_line.h"
#include "lib/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	must(strlen(text) <= DOVECOT_TEXT_MAX);
	for (; *text; text++)
		must((unsigned char)*text >= 32 && *text != 127);
}

/* A server's lines, one after the other into the same struct. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size);
	struct dovecot_line line = {0};

	while (rest.len > 0) {
		const char *end = memchr(rest.data, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		enum dovecot_kind kind = dovecot_line_parse(slice_of(rest.data, len), &line);

		must(kind == line.kind);
		check_text(line.user);
		check_text(line.reason);
		must(kind != DOVECOT_OK || line.user[0]);
		must(kind != DOVECOT_MECH || line.name[0]);
		rest = slice_of(rest.data + len + (end != NULL), rest.len - len - (end != NULL));
	}
	dovecot_line_fini(&line);
	return 0;
}
