/* SPDX-License-Identifier: ISC */
#include "lib/mail/verp.h"

#include <string.h>

#include "lib/mail/address.h"

bool verp_delimiters_valid(const char *delimiters, const char *filter)
{
	return strlen(delimiters) == VERP_DELIMITERS && strchr(filter, delimiters[0]) &&
	       strchr(filter, delimiters[1]);
}

void verp_sender(struct str *out, const char *delimiters, const char *sender, const char *recipient)
{
	struct slice from, to;
	const char *from_domain, *to_domain;

	if (!*sender)
		return;
	address_split(sender, &from, &from_domain);
	address_split(recipient, &to, &to_domain);
	str_put(out, from.data, from.len);
	str_put_char(out, delimiters[0]);
	str_put(out, to.data, to.len);
	if (to_domain && *to_domain)
		str_printf(out, "%c%s", delimiters[1], to_domain);
	if (from_domain)
		str_printf(out, "@%s", from_domain);
}
