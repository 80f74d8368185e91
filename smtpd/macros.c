/* SPDX-License-Identifier: ISC */
/* $name in reply templates, whose values come from the session and not from main.cf. */
#include "smtpd/macros.h"

#include <string.h>

enum { MACRO_DEPTH = 20, RESULT_MAX = 4000 };

struct macros {
	macro_fn *value;
	void *arg;
	const bool *allowed;
};

static int expand(struct str *out, struct slice text, const struct macros *m, int depth);

/* A client chose it: bytes that the administrator does not want in a reply become '_'. */
static void put_value(struct str *out, const struct macros *m, const char *value)
{
	for (; value && *value; value++)
		str_put_char(out, m->allowed[(unsigned char)*value] ? *value : '_');
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static size_t name_len(struct slice text)
{
	size_t n = 0;

	while (n < text.len && name_char(text.data[n]))
		n++;
	return n;
}

/* The place of the brace that closes the one at the beginning; 0: none does. */
static size_t closing(struct slice text, char open, char close)
{
	int depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == open)
			depth++;
		else if (text.data[i] == close && --depth == 0)
			return i;
	}
	return 0;
}

static struct slice from(struct slice text, size_t n)
{
	return slice_of(text.data + n, text.len - n);
}

/* "{text}" or all that is there; *rest_out is what stands behind. */
static struct slice branch(struct slice text, struct slice *rest_out)
{
	size_t end = text.len && text.data[0] == '{' ? closing(text, '{', '}') : 0;

	*rest_out = slice_of("", 0);
	if (end == 0)
		return text;
	*rest_out = from(text, end + 1);
	return slice_of(text.data + 1, end - 1);
}

/* name, name?text, name:text, name?{text}:{text} */
static int braced(struct str *out, struct slice inner, const struct macros *m, int depth)
{
	size_t n = name_len(inner);
	struct slice rest = from(inner, n), yes = slice_of("", 0), no = yes, more;
	const char *found = m->value(m->arg, slice_of(inner.data, n));

	if (n == 0)
		return -1;
	if (rest.len == 0) {
		put_value(out, m, found);
		return found ? 0 : -1;
	}
	if (rest.data[0] == '?') {
		yes = branch(from(rest, 1), &more);
		if (more.len > 0 && more.data[0] == ':')
			no = branch(from(more, 1), &more);
	} else if (rest.data[0] == ':') {
		no = branch(from(rest, 1), &more);
	} else {
		return -1;
	}
	return expand(out, found && *found ? yes : no, m, depth + 1);
}

static int one(struct str *out, struct slice *text, const struct macros *m, int depth)
{
	struct slice at = from(*text, 1);
	const char *found;
	size_t n;

	if (at.len > 0 && at.data[0] == '$') {
		str_put_char(out, '$');
		*text = from(at, 1);
		return 0;
	}
	if (at.len > 0 && (at.data[0] == '{' || at.data[0] == '(')) {
		n = at.data[0] == '{' ? closing(at, '{', '}') : closing(at, '(', ')');
		*text = from(at, n ? n + 1 : at.len);
		return n ? braced(out, slice_of(at.data + 1, n - 1), m, depth) : -1;
	}
	n = name_len(at);
	*text = from(at, n);
	if (n == 0) {
		str_put_char(out, '$');
		return -1;
	}
	found = m->value(m->arg, slice_of(at.data, n));
	put_value(out, m, found);
	return found ? 0 : -1;
}

static int expand(struct str *out, struct slice text, const struct macros *m, int depth)
{
	int result = 0;

	if (depth > MACRO_DEPTH)
		return -1;
	while (text.len > 0 && out->len < RESULT_MAX) {
		const char *dollar = memchr(text.data, '$', text.len);
		size_t n = dollar ? (size_t)(dollar - text.data) : text.len;

		str_put(out, text.data, n);
		text = from(text, n);
		if (dollar && one(out, &text, m, depth) < 0)
			result = -1;
	}
	return result;
}

int macros_expand(
    struct str *out, const char *text, macro_fn *value, void *arg, const bool allowed[256])
{
	const struct macros m = {value, arg, allowed};

	return expand(out, slice_text(text), &m, 0);
}

void macros_allow(bool allowed[256], const char *text)
{
	static const char letters[] = "abfnrtv", bytes[] = "\a\b\f\n\r\t\v";
	const char *letter;
	int c, digits;

	memset(allowed, 0, 256 * sizeof(*allowed));
	for (; *text; text++) {
		c = (unsigned char)*text;
		if (c == '\\' && text[1]) {
			c = (unsigned char)*++text;
			letter = strchr(letters, c);
			if (letter)
				c = bytes[letter - letters];
			else if (c >= '0' && c <= '7') {
				for (c = 0, digits = 0; digits < 3 && *text >= '0' && *text <= '7';
				     digits++)
					c = c * 8 + *text++ - '0';
				text--;
			}
		}
		allowed[c & 255] = true;
	}
}
