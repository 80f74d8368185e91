/* SPDX-License-Identifier: ISC */
#include <stdint.h>

#include "lib/base/log.h"
#include "lib/smtp/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes of a connection; what is good must be good with its own bytes alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_header h, again;
	const char *why;
	struct slice text = slice_of((const char *)data, size);
	enum proxy_result result = proxy_header_parse(text, &h, &why);

	must(result != PROXY_HEADER_MORE || size < PROXY_HEADER_MAX);
	must(result != PROXY_HEADER_BAD || why[0]);
	if (result != PROXY_HEADER_OK)
		return 0;
	must(h.used > 0 && h.used <= size && h.used <= PROXY_HEADER_MAX);
	must(h.local || (h.client.len > 0 && h.server.len > 0));
	must(proxy_header_parse(slice_of(text.data, h.used), &again, &why) == PROXY_HEADER_OK);
	must(
	    proxy_header_parse(slice_of(text.data, h.used - 1), &again, &why) == PROXY_HEADER_MORE);
	return 0;
}
