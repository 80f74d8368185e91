/* SPDX-License-Identifier: ISC */
#include "local/subst.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"

enum { DEPTH_MAX = 8 };

struct run {
	const struct subst *subst;
	struct arena *arena;
	struct err *err;
	struct str out;
};

const char *subst_filter(const char *value, const char *filter, struct arena *arena)
{
	char *copy = arena_strdup(arena, value);

	for (char *p = copy; filter && *p; p++)
		if (!strchr(filter, *p))
			*p = '_';
	return copy;
}

static const char *find(struct run *r, struct slice name)
{
	for (size_t i = 0; i < r->subst->count; i++)
		if (slice_eq(name, r->subst->values[i].name))
			return r->subst->values[i].value;
	err_set(r->err, 0, "unknown name $%.*s", SLICE_ARG(name));
	return NULL;
}

static size_t name_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (isalnum((unsigned char)text[n]) || text[n] == '_'))
		n++;
	return n;
}

/* The length of text up to the bracket that closes the one before it, or -1. */
static long closing(struct slice text, char open, char close)
{
	int depth = 1;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == open)
			depth++;
		else if (text.data[i] == close && --depth == 0)
			return (long)i;
	}
	return -1;
}

static int expand(struct run *r, struct slice text, int depth);

/* The two texts of ?{a}:{b}, or the one of ?text; absent ones are empty. */
static int split_choice(struct run *r, struct slice rest, struct slice *yes, struct slice *no)
{
	long len;

	*no = slice_of("", 0);
	rest = slice_trim(rest);
	if (rest.len == 0 || rest.data[0] != '{') {
		*yes = rest;
		return 0;
	}
	len = closing(slice_of(rest.data + 1, rest.len - 1), '{', '}');
	if (len < 0)
		return err_set(r->err, 0, "'{' without '}'");
	*yes = slice_of(rest.data + 1, (size_t)len);
	rest = slice_trim(slice_of(rest.data + len + 2, rest.len - (size_t)len - 2));
	if (rest.len == 0)
		return 0;
	if (rest.data[0] != ':')
		return err_set(r->err, 0, "':' expected behind '}'");
	*no = slice_trim(slice_of(rest.data + 1, rest.len - 1));
	if (no->len >= 2 && no->data[0] == '{' && no->data[no->len - 1] == '}')
		*no = slice_of(no->data + 1, no->len - 2);
	return 0;
}

/* What stands between the brackets of ${...}. */
static int expand_inner(struct run *r, struct slice inner, int depth)
{
	size_t len = name_len(inner.data, inner.len);
	struct slice rest = slice_of(inner.data + len, inner.len - len), yes, no;
	const char *value = find(r, slice_of(inner.data, len));

	if (!value)
		return -1;
	rest = slice_trim(rest);
	if (rest.len == 0) {
		str_put_text(&r->out, subst_filter(value, r->subst->filter, r->arena));
		return 0;
	}
	if (rest.data[0] != '?' && rest.data[0] != ':')
		return err_set(r->err, 0, "'?' or ':' expected behind the name");
	if (split_choice(r, slice_of(rest.data + 1, rest.len - 1), &yes, &no) < 0)
		return -1;
	if (rest.data[0] == ':')
		return *value ? 0 : expand(r, yes, depth + 1);
	return expand(r, *value ? yes : no, depth + 1);
}

static int expand(struct run *r, struct slice text, int depth)
{
	if (depth > DEPTH_MAX)
		return err_set(r->err, 0, "expressions within expressions, too deep");
	while (text.len) {
		const char *dollar = memchr(text.data, '$', text.len);
		size_t before = dollar ? (size_t)(dollar - text.data) : text.len, used;
		struct slice rest, inner;

		str_put(&r->out, text.data, before);
		if (!dollar)
			return 0;
		rest = slice_of(dollar + 1, text.len - before - 1);
		if (rest.len && rest.data[0] == '$') {
			str_put_char(&r->out, '$');
			used = 1;
		} else if (rest.len && (rest.data[0] == '{' || rest.data[0] == '(')) {
			char open = rest.data[0];
			long len = closing(
			    slice_of(rest.data + 1, rest.len - 1), open, open == '{' ? '}' : ')');

			if (len < 0)
				return err_set(r->err, 0, "'$%c' is not closed", open);
			inner = slice_of(rest.data + 1, (size_t)len);
			if (expand_inner(r, inner, depth) < 0)
				return -1;
			used = (size_t)len + 2;
		} else {
			used = name_len(rest.data, rest.len);
			if (expand_inner(r, slice_of(rest.data, used), depth) < 0)
				return -1;
		}
		text = slice_of(rest.data + used, rest.len - used);
	}
	return 0;
}

const char *subst_expand(
    const struct subst *subst, const char *text, struct arena *arena, struct err *err)
{
	struct run r = {.subst = subst, .arena = arena, .err = err};
	const char *out = NULL;

	if (expand(&r, slice_text(text), 0) == 0)
		out = arena_strdup(arena, str_text(&r.out));
	str_fini(&r.out);
	return out;
}
