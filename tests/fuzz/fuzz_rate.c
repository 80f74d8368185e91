/* SPDX-License-Identifier: ISC */
/* fuzz-links: qmgr */
#include <stdint.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "qmgr/backoff.h"
#include "qmgr/rate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct rate *rate)
{
	struct tokens b;
	int64_t opens;

	must(rate->burst >= 1 && rate->count <= RATE_COUNT_MAX);
	if (rate->count == 0)
		return;
	tokens_init(&b, rate, 0);
	for (int i = 0; i < 3; i++)
		tokens_take(&b, rate, i);
	opens = tokens_opens(&b, rate, 3);
	must(opens >= 3 && tokens_opens(&b, rate, opens) == opens);
}

/* One text as a rate, as a back-off and as a host name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {0};
	char provider[PROVIDER_MAX];
	struct backoff backoff;
	struct rate rate;
	struct err err;

	str_put(&text, data, size);
	if (str_cstr(&text)) {
		if (rate_parse(str_text(&text), &rate, &err) == 0)
			use(&rate);
		if (backoff_parse(str_text(&text), &backoff, &err) == 0)
			must(backoff.ms > 0 && backoff.concurrency > 0);
		backoff_provider(str_text(&text), provider);
		must(strlen(provider) <= size);
	}
	str_fini(&text);
	return 0;
}
