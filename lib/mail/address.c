/* SPDX-License-Identifier: ISC */
#include "lib/mail/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "lib/mail/address_spec.h"

/* user@example.com. is fine, and so is any [literal]; who resolves it will look closer. */
static bool path_domain_valid(const char *domain)
{
	char copy[256];
	size_t len = strlen(domain);

	if (domain[0] == '[')
		return strcspn(domain + 1, "[]") == len - 2 && domain[len - 1] == ']';
	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, domain, len + 1);
	if (len > 1 && copy[len - 1] == '.')
		copy[len - 1] = '\0';
	return address_domain_valid(copy);
}

/*
 * A scanned spec as a path: "@domain", "user@" and words side by side are none, nor is one that
 * is too long or has an impossible domain. An empty one is (the null address).
 */
static bool usable(const struct spec_scan *s, const struct str *address)
{
	const char *at;

	if (s->words == 0 && !s->has_at)
		return address->len == 0 && !s->first; /* a route alone is none */
	if (s->words > 1 || address->len == 0 || address->len > ADDRESS_MAX || address->overflow)
		return false;
	at = s->has_at ? strrchr(address->data, '@') : NULL;
	return address->data[0] != '@' && (!at || path_domain_valid(at + 1));
}

static int parse_angle(struct slice text, bool strict, size_t at, struct str *out, size_t *used_out)
{
	struct spec_scan s = {
	    .p = text.data + at + 1,
	    .end = text.data + text.len,
	    .stops = ">",
	    .strict = strict,
	};

	while (s.p < s.end && *s.p == ' ')
		s.p++;
	if (!spec_scan(&s, out) || s.p == s.end || !usable(&s, out))
		return -1;
	*used_out = (size_t)(s.p + 1 - text.data);
	return 0;
}

int address_parse_path(struct slice text, bool strict, struct str *address_out, size_t *used_out)
{
	const char *begin = text.data, *end = text.data + text.len, *p = begin, *behind;

	str_clear(address_out);
	if (!strict)
		p = spec_skip_cfws(begin, end);
	if (!p || p == end)
		return -1;
	if (*p == '<') {
		if (parse_angle(text, strict, (size_t)(p - begin), address_out, used_out) < 0)
			return -1;
	} else {
		struct spec_scan s = {.p = p, .end = end, .stops = " \t"};

		if (strict || !spec_scan(&s, address_out) || s.words == 0 ||
		    !usable(&s, address_out))
			return -1;
		*used_out = (size_t)(s.p - begin);
	}
	if (!strict) {
		behind = spec_skip_cfws(begin + *used_out, end);
		if (!behind)
			return -1;
		*used_out = (size_t)(behind - begin);
	}
	return 0;
}

void address_split(const char *address, struct slice *local_out, const char **domain_out)
{
	const char *at = strrchr(address, '@');

	*local_out = slice_of(address, at ? (size_t)(at - address) : strlen(address));
	*domain_out = at ? at + 1 : NULL;
}

static bool local_is(struct slice local, const char *prefix, const char *suffix)
{
	size_t pl = strlen(prefix), sl = strlen(suffix);

	return local.len >= pl + sl && strncasecmp(local.data, prefix, pl) == 0 &&
	       strncasecmp(local.data + local.len - sl, suffix, sl) == 0;
}

/* Names of the mail system and of mailing lists that have a '-' of their own. */
static bool never_split(struct slice local)
{
	return slice_eq_nocase(local, "mailer-daemon") || slice_eq_nocase(local, "double-bounce") ||
	       local_is(local, "owner-", "") || local_is(local, "", "-request");
}

void address_split_extension(
    struct slice local, const char *delimiters, struct slice *user_out, struct slice *ext_out)
{
	size_t i;

	*user_out = local;
	*ext_out = slice_of("", 0);
	for (i = 0; i < local.len; i++) {
		if (!local.data[i] || !strchr(delimiters, local.data[i]))
			continue;
		if (i == 0 || (local.data[i] == '-' && never_split(local)))
			return;
		*user_out = slice_of(local.data, i);
		*ext_out = slice_of(local.data + i + 1, local.len - i - 1);
		return;
	}
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || (c & 0x80) != 0;
}

static bool literal_valid(const char *text, size_t len)
{
	char inner[64];
	struct in6_addr addr;

	if (len < 3 || len - 2 >= sizeof(inner) || text[len - 1] != ']')
		return false;
	memcpy(inner, text + 1, len - 2);
	inner[len - 2] = '\0';
	if (strncasecmp(inner, "IPv6:", 5) == 0)
		return inet_pton(AF_INET6, inner + 5, &addr) == 1;
	return inet_pton(AF_INET, inner, &addr) == 1;
}

bool address_domain_valid(const char *domain)
{
	size_t i, len = strlen(domain), label = 0;
	bool only_digits = true;

	if (domain[0] == '[')
		return literal_valid(domain, len);
	if (len == 0 || len > 255)
		return false;
	for (i = 0; i < len; i++) {
		char c = domain[i];

		if (c == '.') {
			if (label == 0 || domain[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_label_char(c) || (c == '-' && label == 0) || ++label > 63)
			return false;
		if (c < '0' || c > '9')
			only_digits = false;
	}
	return label > 0 && domain[len - 1] != '-' && !only_digits;
}
