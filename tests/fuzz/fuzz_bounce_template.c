/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A template file: whatever it holds, each notice has its texts, and they are safe to send. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct template_set set;
	struct arena arena = {0};
	struct str problems = {0};

	template_set_builtin(&set);
	template_parse("f", slice_of((const char *)data, size), &arena, &set, &problems);
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		const struct template *t = &set.items[i];

		must(*t->charset && *t->from && *t->subject && *t->text);
		must(!strpbrk(t->charset, "\r\n\"") && !strpbrk(t->from, "\r\n"));
		must(!strpbrk(t->subject, "\r\n") && strlen(t->text) <= size + 1000);
	}
	str_fini(&problems);
	arena_fini(&arena);
	return 0;
}
