/* SPDX-License-Identifier: ISC */
/* The first line is an expression, the rest are a message's texts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/queue/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct where_message m = {.queue = "deferred", .id = "123456", .sender = "", .arrival = 1};
	char *copy, *rest, *line;
	struct where *where;
	struct err err = {0};
	bool first;

	if (size > 2 * WHERE_TEXT_MAX)
		return 0;
	copy = rest = alloc_strndup((const char *)data, size);
	where = where_parse(strsep(&rest, "\n"), &err);
	must(where || strncmp(err.text, "column ", 7) == 0);
	if (where) {
		line = strsep(&rest, "\n");
		m.sender = line ? line : "";
		m.size = size;
		where_begin(where, &m, 1000);
		while ((line = strsep(&rest, "\n")))
			where_rcpt(where, line, line);
		first = where_end(where);
		must(first == where_end(where));
		must(!first || where_queues(where) & WHERE_DEFERRED);
		where_free(&where);
	}
	free(copy);
	return 0;
}
