/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtpd */
/*
 * Filters of DNS lists ("127.0.0.[2;4..7]") and templates of replies. The first four bytes are an
 * address, the rest is both.
 */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "smtpd/dns_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *value_of(void *arg, struct slice name)
{
	(void)arg;
	if (name.len > 3)
		return slice_eq(name, "rbl_reason") ? "$rbl_what" : "text";
	return name.len == 3 ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {0}, out = {0}, again = {0};
	unsigned char other[4];
	bool allowed[256];
	int matches, rc;

	if (size < 4)
		return 0;
	str_put(&text, (const char *)data + 4, size - 4);
	matches = rbl_filter_matches(str_text(&text), data);
	must(matches >= -1 && matches <= 1);
	/* what is a filter is one for all addresses */
	memset(other, 0x55, sizeof(other));
	must((rbl_filter_matches(str_text(&text), other) < 0) == (matches < 0));
	macros_allow(allowed, str_text(&text));
	rc = macros_expand(&out, str_text(&text), value_of, NULL, allowed);
	must(macros_expand(&again, str_text(&text), value_of, NULL, allowed) == rc);
	must(out.len == again.len);
	str_fini(&text);
	str_fini(&out);
	str_fini(&again);
	return 0;
}
