/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Fields follow each other without a gap and their parts lie within them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice block = slice_of((const char *)data, size);
	struct str text = {0};
	struct header h;
	size_t at = 0, before = 0;

	while (header_next(block, &at, &h)) {
		must(h.whole.data == block.data + before && h.whole.len == at - before &&
		     at <= size);
		must(h.name.len > 0 && h.name.data == h.whole.data);
		must(h.value.data >= h.name.data + h.name.len);
		must(h.value.data + h.value.len <= h.whole.data + h.whole.len);
		str_clear(&text);
		header_unfold(&text, h.value);
		must(text.len <= h.value.len &&
		     (text.len == 0 || !memchr(text.data, '\n', text.len)));
		before = at;
	}
	must(at <= size);
	str_fini(&text);
	return 0;
}
