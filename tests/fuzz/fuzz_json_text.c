/* SPDX-License-Identifier: ISC */
/* Whatever the bytes of a text, its JSON form is one string of RFC 8259. */
#include <stdint.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t escape_len(const char *at, const char *end)
{
	must(end - at >= 2);
	if (at[1] != 'u') {
		must(at[1] && strchr("\"\\/bfnrt", at[1]));
		return 2;
	}
	must(end - at >= 6 && strspn(at + 2, "0123456789abcdefABCDEF") >= 4);
	return 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {0}, out = {0};
	const char *at, *end;

	str_put(&text, (const char *)data, size);
	json_put_text(&out, str_text(&text));
	must(out.len >= 2 && out.data[0] == '"' && out.data[out.len - 1] == '"');
	end = out.data + out.len - 1;
	for (at = out.data + 1; at < end;) {
		size_t len = text_utf8_len(slice_of(at, (size_t)(end - at)));

		must(len > 0 && (unsigned char)*at >= 32 && *at != '"');
		at += *at == '\\' ? escape_len(at, end) : len;
	}
	str_fini(&text);
	str_fini(&out);
	return 0;
}
