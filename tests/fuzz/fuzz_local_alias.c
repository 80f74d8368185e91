/* SPDX-License-Identifier: ISC */
/* fuzz-links: local */
/* Alias values, .forward and :include: files: users write them. */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "local/alias.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct alias_list list = {0};
	struct err err;

	alias_list_parse(slice_of((const char *)data, size), &arena, &list, &err);
	for (size_t i = 0; i < list.count; i++)
		must(strlen(list.items[i].text) <= size + 1);
	arena_fini(&arena);
	return 0;
}
