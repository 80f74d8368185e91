/* SPDX-License-Identifier: ISC */
#include "lib/mail/address.h"

#include "lib/base/log.h"

#include <string.h>

/* atext of RFC 5322 3.2.3 and what is beyond ASCII (RFC 6532 3.2). */
static bool is_atext(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return (c & 0x80) != 0 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Dot-string = Atom *("." Atom)      (RFC 5321 4.1.2) */
static bool is_dot_string(struct slice local)
{
	size_t i;

	if (local.len == 0 || local.data[local.len - 1] == '.')
		return false;
	for (i = 0; i < local.len; i++) {
		if (local.data[i] == '.') {
			if (i == 0 || local.data[i - 1] == '.')
				return false;
		} else if (!is_atext(local.data[i])) {
			return false;
		}
	}
	return true;
}

void address_quote(struct str *out, const char *address)
{
	struct slice local;
	const char *domain;
	size_t i;

	address_split(address, &local, &domain);
	if (local.len == 0 && !domain)
		return;
	if (is_dot_string(local)) {
		str_put_text(out, address);
		return;
	}
	str_put_char(out, '"');
	for (i = 0; i < local.len; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			str_put_char(out, '\\');
		str_put_char(out, local.data[i]);
	}
	str_put_char(out, '"');
	if (domain) {
		str_put_char(out, '@');
		str_put_text(out, domain);
	}
}

void address_log(struct str *out, const char *address)
{
	if (log_plain_addresses())
		str_put_text(out, address);
	else
		address_quote(out, address);
}
