/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path that was taken is taken again from its quoted form, as the same address. */
static void check_path(struct slice text, bool strict)
{
	struct str address = {0}, wire = {0}, again = {0};
	struct slice local, user, ext;
	const char *domain;
	size_t used;

	if (address_parse_path(text, strict, &address, &used) == 0) {
		must(used > 0 && used <= text.len && address.len <= ADDRESS_MAX);
		must(str_cstr(&address) != NULL);
		address_split(str_text(&address), &local, &domain);
		address_split_extension(local, "+-", &user, &ext);
		must(user.len <= local.len && ext.len <= local.len);
		str_put_char(&wire, '<');
		address_quote(&wire, str_text(&address));
		str_put_char(&wire, '>');
		/* An internal form whose quoted '@' is its only one is ambiguous: left out. */
		if (!domain || address_domain_valid(domain)) {
			must(address_parse_path(
			         slice_of(wire.data, wire.len), true, &again, &used) == 0);
			must(strcmp(str_text(&address), str_text(&again)) == 0);
		}
	}
	str_fini(&address);
	str_fini(&wire);
	str_fini(&again);
}

static void check_list(struct slice value)
{
	struct str address = {0};
	struct slice span;
	size_t at = 0, before;

	for (;;) {
		before = at;
		if (address_next(value, &at, &address, &span) <= 0)
			break;
		must(at > before && at <= value.len);
		must(address.len > 0 && address.len <= ADDRESS_MAX && str_cstr(&address));
		must(span.data >= value.data && span.data + span.len <= value.data + value.len);
	}
	str_fini(&address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);

	check_path(text, false);
	check_path(text, true);
	check_list(text);
	return 0;
}
