/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/table/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	table = pattern_open_text(&pattern_cidr, "fuzz", 0, slice_of(in + skip, size - skip));
	must(pattern_get(table, str_text(&key), &value, &err) != TABLE_ERROR);
	pattern_close(table);
	str_fini(&key);
	str_fini(&value);
	return 0;
}
