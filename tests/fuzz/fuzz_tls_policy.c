/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtp */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "smtp/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is the value of a TLS policy table. What is read must make sense. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = alloc_strndup((const char *)data, size);
	struct policy p = {.level = LEVEL_NONE};
	struct arena arena = {0};
	struct tls_protocols bounds;
	struct err err;

	if (policy_parse(value, &arena, &p, &err) == 0) {
		must(p.level >= LEVEL_NONE && p.level < LEVEL_UNSET && p.level != LEVEL_HALF_DANE);
		must(*policy_level_name(p.level));
		must(!p.protocols || tls_protocols_parse(p.protocols, &bounds, &err) == 0);
		must(!p.match || p.level == LEVEL_FINGERPRINT || p.level >= LEVEL_VERIFY);
		for (size_t i = 0; p.match && i < p.match->count; i++)
			must(*p.match->items[i]);
	}
	arena_fini(&arena);
	free(value);
	return 0;
}
