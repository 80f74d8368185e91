/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/mail/address_spec.h"
#include "lib/mail/mime.h"

/* RFC 2045 5.1: type "/" subtype *(";" attribute "=" value), blanks and comments between. */

static struct slice take_token(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end && (unsigned char)**p > 32 && (unsigned char)**p < 127 &&
	       !strchr("()<>@,;:\\\"/[]?=", **p))
		(*p)++;
	return slice_of(start, (size_t)(*p - start));
}

static bool skip(const char **p, const char *end)
{
	const char *behind = spec_skip_cfws(*p, end);

	if (behind)
		*p = behind;
	return behind;
}

static bool eat(const char **p, const char *end, char c)
{
	if (!skip(p, end) || *p == end || **p != c)
		return false;
	(*p)++;
	return skip(p, end);
}

/* Folding within quotes is no part of the value. */
static bool take_quoted(const char **p, const char *end, struct str *out)
{
	while (*p < end && **p != '"') {
		if (**p == '\\' && *p + 1 < end)
			(*p)++;
		if (**p != '\r' && **p != '\n')
			str_put(out, *p, 1);
		(*p)++;
	}
	if (*p == end)
		return false;
	(*p)++;
	return true;
}

/* Mailers write values with characters that no token has: up to the next ';' or blank will do. */
static bool take_value(const char **p, const char *end, struct str *out)
{
	str_clear(out);
	if (*p < end && **p == '"') {
		(*p)++;
		return take_quoted(p, end, out);
	}
	while (*p < end && !strchr("; \t\r\n(", **p) && **p)
		str_put(out, (*p)++, 1);
	return true;
}

bool mime_parse_type(
    struct slice value, struct slice *type_out, struct slice *subtype_out, struct str *boundary)
{
	const char *p = value.data, *end = p + value.len;
	struct str text = {.max = 4096};

	str_clear(boundary);
	if (!value.len || !skip(&p, end))
		return false;
	*type_out = take_token(&p, end);
	if (!type_out->len || !eat(&p, end, '/'))
		return false;
	*subtype_out = take_token(&p, end);
	if (!subtype_out->len)
		return false;
	while (eat(&p, end, ';')) {
		struct slice name = take_token(&p, end);

		if (!name.len)
			continue;
		if (!eat(&p, end, '=') || !take_value(&p, end, &text))
			break;
		if (slice_eq_nocase(name, "boundary") && !boundary->len)
			str_put(boundary, str_text(&text), text.len);
	}
	str_fini(&text);
	return true;
}

bool mime_is_field(struct slice name)
{
	static const char *const names[] = {"Content-Description", "Content-Disposition",
	    "Content-ID", "Content-Transfer-Encoding", "Content-Type", "MIME-Version"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(name, names[i]))
			return true;
	return false;
}
