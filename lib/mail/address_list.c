/* SPDX-License-Identifier: ISC */
#include "lib/mail/address.h"

#include <string.h>

#include "lib/mail/address_spec.h"

/*
 * RFC 5322 3.4:  address-list = (address *("," address)) / obs-addr-list
 *                address = mailbox / group
 *                mailbox = [display-name] "<" addr-spec ">" / addr-spec
 *                group = display-name ":" [group-list] ";"
 * A first scan reads words until one of , ; : < says what they were: an address, a group's name
 * or a display name.
 */

/* "<...>" at *p; 1: an address, 0: the null address, -1: malformed. */
static int take_angle(const char **p, const char *end, struct str *out, struct slice *span_out)
{
	struct spec_scan s = {.p = *p + 1, .end = end, .stops = ">"};

	str_clear(out);
	if (!spec_scan(&s, out) || s.p == end)
		return -1;
	*p = s.p + 1;
	if (!s.first || out->len == 0)
		return 0;
	if (out->len > ADDRESS_MAX || out->overflow || out->data[0] == '@' || s.trailing_at)
		return -1;
	*span_out = slice_of(s.first, (size_t)(s.last - s.first));
	return 1;
}

/* Behind the mailbox only blanks and comments may stand before the next separator. */
static bool at_separator(const char **p, const char *end)
{
	*p = spec_skip_cfws(*p, end);
	if (!*p)
		return false;
	return *p == end || **p == ',' || **p == ';';
}

static int one_element(const char **p, const char *end, struct str *out, struct slice *span_out)
{
	struct spec_scan s = {.p = *p, .end = end, .stops = ",;:<"};
	const char *begin = *p;
	int got;

	str_clear(out);
	/* "@a,@b:user@c" without brackets is a route too: spec_scan knows it by its first '@'. */
	if (!spec_scan(&s, out))
		return -1;
	*p = s.p;
	if (s.p < end && *s.p == ':') {
		(*p)++; /* a group's name */
		return 0;
	}
	if (s.p < end && *s.p == '<') {
		got = take_angle(p, end, out, span_out);
		return got >= 0 && !at_separator(p, end) ? -1 : got;
	}
	if (!s.first || s.words == 0)
		return s.has_at ? -1 : 0;
	if (s.words > 1) {
		/* "joe jane" without commas: two addresses, as Postfix has it. */
		s = (struct spec_scan){.p = begin, .end = end, .stops = ",;:<", .single = true};
		str_clear(out);
		if (!spec_scan(&s, out))
			return -1;
		*p = s.p;
	}
	if (out->len > ADDRESS_MAX || out->overflow || out->len == 0 || out->data[0] == '@' ||
	    s.trailing_at)
		return -1;
	*span_out = slice_of(s.first, (size_t)(s.last - s.first));
	return 1;
}

int address_next(struct slice value, size_t *at, struct str *address_out, struct slice *span_out)
{
	const char *end = value.data + value.len, *p;
	int got;

	while (*at < value.len) {
		p = value.data + *at;
		if (*p == ',' || *p == ';') {
			(*at)++;
			continue;
		}
		got = one_element(&p, end, address_out, span_out);
		*at = got < 0 ? value.len : (size_t)(p - value.data);
		if (got != 0)
			return got;
	}
	return 0;
}

int address_each(struct slice header_value, void (*fn)(void *arg, const char *address), void *arg)
{
	struct str address = {0};
	struct slice span;
	size_t at = 0;
	int got, count = 0;

	while ((got = address_next(header_value, &at, &address, &span)) > 0) {
		fn(arg, str_text(&address));
		count++;
	}
	str_fini(&address);
	return got < 0 ? -1 : count;
}
