/* SPDX-License-Identifier: ISC */
/* Log files of bounce(8): any bytes give records or an end. */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/peer/bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct bounce_record record;
	size_t at = 0, before = 0;

	while (bounce_log_parse(data, size, &at, &arena, &record)) {
		must(at > before && at <= size);
		before = at;
		/* Texts are there, whatever the file says. */
		must(record.address && record.orig && record.reason && record.diag && record.mta);
		must(strlen(record.reason) <= size);
	}
	must(at == size);
	arena_fini(&arena);
	return 0;
}
