/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/sasl/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_text t = {.lifetime = 0};
	struct err err = {.text = ""};

	if (token_text_parse(slice_of((const char *)data, size), &t, &err) == 0) {
		must(t.token.len > 0 && t.token.len <= TOKEN_MAX && t.lifetime >= -1);
		must(str_cstr(&t.token) && !strpbrk(t.token.data, " \t\r\n\1"));
	} else {
		must(err.text[0]);
	}
	token_text_fini(&t);
	return 0;
}
