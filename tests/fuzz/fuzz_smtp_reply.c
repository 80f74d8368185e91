/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is what a server sends: lines that end in LF. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct smtp_reply r = {0};

	smtp_reply_reset(&r);
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);
		int rc = smtp_reply_line(&r, slice_of(p, len));

		must(r.text.len <= SMTP_REPLY_MAX_TEXT && r.lines.len <= SMTP_REPLY_MAX_TEXT);
		must(rc < 0 || (r.code >= 200 && r.code <= 599));
		must(str_cstr(&r.text) && strlen(r.dsn) < sizeof(r.dsn));
		must((rc == 1) == r.complete || rc < 0);
		if (rc != 0)
			smtp_reply_reset(&r);
		p += len + (lf ? 1 : 0);
	}
	smtp_reply_fini(&r);
	return 0;
}
