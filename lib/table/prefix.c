/* SPDX-License-Identifier: ISC */
#include "lib/table/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/base/num.h"

enum { TEXT_MAX = 64 };

static bool parse_bytes(struct slice text, struct prefix *out)
{
	char buf[TEXT_MAX];

	if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
		text = slice_of(text.data + 1, text.len - 2);
	if (text.len == 0 || text.len >= sizeof(buf) || memchr(text.data, '\0', text.len))
		return false;
	memcpy(buf, text.data, text.len);
	buf[text.len] = '\0';
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, buf, out->bytes) == 1)
		out->size = 4;
	else if (inet_pton(AF_INET6, buf, out->bytes) == 1)
		out->size = 16;
	out->bits = out->size * 8;
	return out->size > 0;
}

bool prefix_parse_address(const char *text, struct prefix *out)
{
	return text[0] != '[' && parse_bytes(slice_text(text), out);
}

/* Clears the bits behind the length; true when any was set. */
static bool clear_host_bits(struct prefix *p)
{
	bool any = false;

	for (int i = 0; i < p->size; i++) {
		int keep = p->bits - i * 8;
		unsigned mask = keep >= 8 ? 0xff : keep <= 0 ? 0 : (0xff00u >> keep) & 0xff;

		any = any || (p->bytes[i] & ~mask) != 0;
		p->bytes[i] &= (unsigned char)mask;
	}
	return any;
}

int prefix_parse(struct slice text, struct prefix *out, struct err *err)
{
	const char *slash;
	struct slice address, length;
	char fixed[TEXT_MAX];
	uint64_t bits;

	/* "[2001:db8::/32]" is as good as "[2001:db8::]/32" */
	if (text.len >= 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
		text = slice_of(text.data + 1, text.len - 2);
	slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	address = text;
	if (slash)
		address.len = (size_t)(slash - text.data);
	if (!parse_bytes(address, out))
		return err_set(
		    err, EINVAL, "\"%.*s\": expected address or address/length", SLICE_ARG(text));
	if (!slash)
		return 0;
	length = slice_of(slash + 1, text.len - address.len - 1);
	if (!num_u64(length.data, length.len, (uint64_t)out->size * 8, &bits))
		return err_set(err, EINVAL, "\"%.*s\": expected a length from 0 to %d",
		    SLICE_ARG(text), out->size * 8);
	out->bits = (int)bits;
	if (clear_host_bits(out)) {
		inet_ntop(out->size == 4 ? AF_INET : AF_INET6, out->bytes, fixed, sizeof(fixed));
		return err_set(err, EINVAL,
		    "non-null host address bits in \"%.*s\", perhaps you should use \"%s/%d\" "
		    "instead",
		    SLICE_ARG(text), fixed, out->bits);
	}
	return 0;
}

bool prefix_match(const struct prefix *prefix, const struct prefix *address)
{
	size_t whole = (size_t)prefix->bits / 8;
	unsigned rest = (unsigned)prefix->bits % 8;

	if (prefix->size != address->size || memcmp(prefix->bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((prefix->bytes[whole] ^ address->bytes[whole]) & (0xff00u >> rest) & 0xff) == 0;
}
