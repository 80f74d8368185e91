/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/sasl/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the mechanism; challenges end in LF. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	struct sasl_identity who = {.user = "user",
	    .authzid = "",
	    .secret = "pencil",
	    .host = "mail.example.com",
	    .port = 587,
	    .nonce = "nonce"};
	const struct sasl_mechanism *m = size ? sasl_mechanism_at(data[0] & 7) : NULL;
	struct sasl_client *c;
	struct str out = {0};
	struct err err;

	if (!m)
		return 0;
	must(sasl_client_new(m, &who, &c, &err) == 0);
	must(sasl_client_first(c, &out, &err) >= 0);
	for (int i = 0; i < 10 && p < end; i++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct slice in = slice_of(p, (size_t)((lf ? lf : end) - p));

		p = lf ? lf + 1 : end;
		err.text[0] = '\0';
		if (sasl_client_step(c, in, &out, &err) < 0)
			must(err.text[0]);
		must(out.len < 32768 && strlen(sasl_client_detail(c)) <= 300);
	}
	str_fini(&out);
	sasl_client_free(&c);
	return 0;
}
