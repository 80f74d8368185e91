/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/lines.h"
#include "lib/table/alias.h"
#include "lib/table/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An aliases file and, as it is, a postmap source; an alias that was parsed parses again alike. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines lines = {.text = (const char *)data, .len = size};
	struct str name = {0}, value = {0};
	struct slice line, k, v;
	struct err err;

	while (lines_next(&lines, &line)) {
		if (alias_parse(line, &name, &value, &err) == 0) {
			must(name.len > 0 && name.len <= line.len);
			must(value.len > 0 && value.len <= 2 * line.len);
		}
		if (entry_parse(line, &k, &v, &err) == 0) {
			must(k.len > 0 && v.len > 0 && k.len + v.len < line.len);
			must(k.data >= line.data && v.data + v.len <= line.data + line.len);
		}
	}
	lines_fini(&lines);
	str_fini(&name);
	str_fini(&value);
	return 0;
}
