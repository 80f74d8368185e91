/* SPDX-License-Identifier: ISC */
#include "lib/shape/internal.h"

#include <string.h>

#include "lib/mail/address.h"

static const char *mapped(struct shaper *s, int what, const char *address)
{
	const char *to = address;
	struct err err;

	if (s->ctx.mapper && !(s->ctx.mapping & MAP_NOTHING) &&
	    map_address(s->ctx.mapper, what, address, &s->arena, &to, &err) < 0)
		shape_mapping_failed(s, &err);
	return to;
}

/*
 * Only the text of an address that has to change is replaced; display names, comments, folding and
 * all other addresses stay byte for byte. What cannot be parsed is left as it is.
 */
void shape_complete(struct shaper *s, const struct header *header, int what)
{
	const char *remote = s->ctx.params->remote_header_rewrite_domain;
	const char *from = header->whole.data;
	const char *end = from + header->whole.len;
	struct str *address = &s->scratch;
	struct slice span;
	size_t at = 0;

	while (address_next(header->value, &at, address, &span) > 0) {
		const char *text = str_cstr(address), *full;

		if (!text || !text[0])
			continue;
		full = mapped(s, what,
		    s->ctx.rewrite_headers
		        ? route_rewrite(s->ctx.router, text, &s->arena)
		        : route_rewrite_for(s->ctx.router, text, remote, remote, &s->arena));
		if (strcmp(full, text) == 0)
			continue;
		str_put(&s->out, from, (size_t)(span.data - from));
		address_quote(&s->out, full);
		from = span.data + span.len;
	}
	str_put(&s->out, from, (size_t)(end - from));
	arena_reset(&s->arena);
}
