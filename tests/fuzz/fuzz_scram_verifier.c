/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/sasl/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written as it was read (but for leading zeros of the number). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scram_verifier v, again;
	struct str text = {0};

	if (scram_verifier_parse(slice_of((const char *)data, size), &v, NULL) < 0)
		return 0;
	must(v.salt_len >= 1 && v.salt_len <= SCRAM_SALT_MAX && v.iterations >= 1);
	scram_verifier_print(&text, &v);
	must(scram_verifier_parse(slice_of(text.data, text.len), &again, NULL) == 0);
	must(memcmp(&v, &again, sizeof(v)) == 0);
	str_fini(&text);
	return 0;
}
