/* SPDX-License-Identifier: ISC */
#include <stdint.h>

#include "lib/base/log.h"
#include "lib/peer/showq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned run(const uint8_t *data, size_t size, size_t piece)
{
	struct showq_reader r = {0};
	enum showq_event event = SHOWQ_MORE;
	unsigned events = 0;

	for (size_t at = 0; at < size && event == SHOWQ_MORE; at += piece) {
		showq_feed(&r, data + at, size - at < piece ? size - at : piece);
		while ((event = showq_next(&r)) == SHOWQ_MESSAGE || event == SHOWQ_RCPT) {
			must(r.message.sender && r.message.queue_id);
			events = events * 31 + (unsigned)event;
		}
	}
	events = events * 31 + (unsigned)event;
	showq_reader_fini(&r);
	return events;
}

/* The same events however the bytes are cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 65536)
		return 0;
	must(run(data, size, 3) == run(data, size, size ? size : 1));
	return 0;
}
