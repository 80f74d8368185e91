/* SPDX-License-Identifier: ISC */
/*
 * $name expansion: a recursive descent over slices of the raw texts. What is being expanded hangs
 * on a chain of frames on the stack, so that a loop is found where it closes and can be named.
 * Bounds keep hostile text cheap: depth, the number of lookups, the bytes scanned and written.
 */
#include "lib/conf/conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/num.h"
#include "lib/conf/private.h"
#include "lib/mail/idna.h"

#define DEPTH_MAX 100
#define LOOKUPS_MAX 20000
#define RESULT_MAX (1024 * 1024)
#define SCAN_MAX (64 * 1024 * 1024) /* bytes looked at in search of closing braces */

struct frame {
	const char *name;
	const struct frame *up;
};

struct expansion {
	struct conf *conf;
	struct err *err;
	int depth;
	int lookups;
	size_t written; /* across all intermediate results */
	size_t scanned;
};

static int expand(struct expansion *x, const struct frame *up, struct slice text, struct str *out);

static int put(struct expansion *x, struct str *out, const char *data, size_t len)
{
	x->written += len;
	if (x->written > RESULT_MAX)
		return err_set(x->err, 0, "the expanded text is larger than %d bytes", RESULT_MAX);
	str_put(out, data, len);
	return 0;
}

static int malformed(struct expansion *x, struct slice at, const char *expected)
{
	return err_set(x->err, 0, "expected %s at \"%.*s%s\"", expected,
	    (int)(at.len > 40 ? 40 : at.len), at.data ? at.data : "", at.len > 40 ? "..." : "");
}

static struct slice skip_blanks(struct slice s)
{
	while (s.len > 0 && isspace((unsigned char)s.data[0]))
		s = slice_of(s.data + 1, s.len - 1);
	return s;
}

static size_t name_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && (isalnum((unsigned char)s.data[n]) || s.data[n] == '_'))
		n++;
	return n;
}

/*
 * Takes "{...}" or "(...)" from the front of *rest, with the braces of its own kind balanced;
 * inner_out is what is between them.
 */
static bool take_braced(struct expansion *x, struct slice *rest, struct slice *inner_out)
{
	char open = rest->data[0], shut = open == '{' ? '}' : ')';
	size_t level = 0;

	if (x->scanned > SCAN_MAX)
		return false;
	for (size_t i = 0; i < rest->len; i++) {
		x->scanned++;
		if (rest->data[i] == open)
			level++;
		else if (rest->data[i] == shut && --level == 0) {
			*inner_out = slice_of(rest->data + 1, i - 1);
			*rest = slice_of(rest->data + i + 1, rest->len - i - 1);
			return true;
		}
	}
	return false;
}

static int loop_error(struct expansion *x, const struct frame *at, const char *name)
{
	struct str chain = {.max = 300};

	str_put_text(&chain, name);
	for (; at; at = at->up) {
		str_printf(&chain, " is used by %s", at->name);
		if (strcmp(at->name, name) == 0)
			break;
	}
	err_set(x->err, 0, "parameter loop: %s", str_text(&chain));
	str_fini(&chain);
	return -1;
}

/* The value of one name, expanded, appended to out. */
static int expand_name(
    struct expansion *x, const struct frame *up, const char *name, struct str *out)
{
	struct frame frame = {name, up};
	const char *raw;

	for (const struct frame *f = up; f; f = f->up) {
		if (strcmp(f->name, name) == 0)
			return loop_error(x, up, name);
	}
	if (++x->lookups > LOOKUPS_MAX)
		return err_set(
		    x->err, 0, "more than %d names in one value, at $%s", LOOKUPS_MAX, name);
	raw = conf_raw(x->conf, name);
	return raw ? expand(x, &frame, slice_text(raw), out) : 0;
}

/* After '?' or ':': "{text}" or all the rest. Then *rest is what follows the braces. */
static bool take_branch(struct expansion *x, struct slice *rest, struct slice *branch_out)
{
	struct slice s = skip_blanks(*rest);

	if (s.len == 0 || s.data[0] != '{') {
		*branch_out = *rest;
		*rest = slice_of(rest->data, 0);
		return true;
	}
	if (!take_braced(x, &s, branch_out))
		return false;
	*rest = skip_blanks(s);
	return true;
}

/* The "?text", ":text", "?{a}:{b}" behind a name or comparison. */
static int expand_choice(
    struct expansion *x, const struct frame *up, bool truth, struct slice rest, struct str *out)
{
	struct slice when_true = {0}, when_false = {0};

	if (rest.data[0] == '?') {
		rest = slice_of(rest.data + 1, rest.len - 1);
		if (!take_branch(x, &rest, &when_true))
			return malformed(x, rest, "a closing '}'");
	}
	if (rest.len > 0) {
		if (rest.data[0] != ':')
			return malformed(x, rest, "':' or the end");
		rest = slice_of(rest.data + 1, rest.len - 1);
		if (!take_branch(x, &rest, &when_false))
			return malformed(x, rest, "a closing '}'");
		if (rest.len > 0)
			return malformed(x, rest, "nothing more");
	}
	return expand(x, up, truth ? when_true : when_false, out);
}

enum { OP_LT = 1, OP_EQ = 2, OP_GT = 4 };

static const struct operator
{
	const char *text;
	int accepts; /* which of less, equal, greater make it true */
}
operators[] = {
    {"==", OP_EQ},
    {"!=", OP_LT | OP_GT},
    {"<=", OP_LT | OP_EQ},
    {">=", OP_GT | OP_EQ},
    {"<", OP_LT},
    {">", OP_GT},
};

static int order(int64_t a, int64_t b)
{
	return a < b ? OP_LT : a > b ? OP_GT : OP_EQ;
}

static bool parse_level(const char *text, int64_t *out)
{
	int64_t parts[3] = {0, 0, 0};

	for (int i = 0; i < 3; i++) {
		size_t n = strspn(text, "0123456789");
		uint64_t v;

		if (!num_u64(text, n, 65535, &v))
			return false;
		parts[i] = (int64_t)v;
		text += n;
		if (*text == '\0')
			break;
		if (*text++ != '.' || i == 2)
			return false;
	}
	*out = (parts[0] << 32) + (parts[1] << 16) + parts[2];
	return true;
}

static int compare(struct expansion *x, bool levels, const char *a, const char *b, int *order_out)
{
	uint64_t na, nb;
	int64_t la, lb;
	int c;

	if (levels) {
		if (!parse_level(a, &la) || !parse_level(b, &lb))
			return malformed(x, slice_text(parse_level(a, &la) ? b : a),
			    "a compatibility level such as 3.6");
		*order_out = order(la, lb);
	} else if (num_u64(a, strlen(a), INT64_MAX, &na) && num_u64(b, strlen(b), INT64_MAX, &nb)) {
		*order_out = order((int64_t)na, (int64_t)nb);
	} else {
		c = strcmp(a, b);
		*order_out = order(c, 0);
	}
	return 0;
}

static int take_operand(
    struct expansion *x, const struct frame *up, struct slice *rest, struct str *out)
{
	struct slice inner;

	*rest = skip_blanks(*rest);
	if (rest->len == 0 || rest->data[0] != '{' || !take_braced(x, rest, &inner))
		return malformed(x, *rest, "{text} to compare");
	*rest = skip_blanks(*rest);
	return expand(x, up, inner, out);
}

/* "{a} == {b}" and what follows; the order of the operators makes "<=" win over "<". */
static int expand_comparison(
    struct expansion *x, const struct frame *up, struct slice rest, struct str *out)
{
	struct str a = {0}, b = {0};
	const struct operator* op = NULL;
	bool levels = false, truth;
	int got = 0, result = -1;

	if (take_operand(x, up, &rest, &a) < 0)
		goto done;
	for (size_t i = 0; i < ARRAY_LEN(operators) && !op; i++) {
		size_t n = strlen(operators[i].text);

		if (rest.len >= n && memcmp(rest.data, operators[i].text, n) == 0) {
			op = &operators[i];
			rest = slice_of(rest.data + n, rest.len - n);
		}
	}
	if (!op) {
		malformed(x, rest, "one of == != < <= > >=");
		goto done;
	}
	if (rest.len >= 5 && memcmp(rest.data, "level", 5) == 0) {
		levels = true;
		rest = slice_of(rest.data + 5, rest.len - 5);
	}
	if (take_operand(x, up, &rest, &b) < 0 ||
	    compare(x, levels, str_text(&a), str_text(&b), &got) < 0)
		goto done;
	truth = (op->accepts & got) != 0;
	if (rest.len == 0)
		result = truth ? put(x, out, "true", 4) : 0;
	else if (rest.data[0] != '?' && rest.data[0] != ':')
		malformed(x, rest, "'?' or ':'");
	else
		result = expand_choice(x, up, truth, rest, out);
done:
	str_fini(&a);
	str_fini(&b);
	return result;
}

/* ${domain_to_ascii{text}}: the A-label form; what is no domain name is left as it is. */
static int expand_to_ascii(
    struct expansion *x, const struct frame *up, struct slice rest, struct str *out)
{
	char ascii[IDNA_MAX];
	struct str text = {0};
	int result = take_operand(x, up, &rest, &text);

	if (result == 0 && rest.len > 0)
		result = malformed(x, rest, "nothing more");
	if (result == 0 && !idna_is_ascii(str_text(&text)) &&
	    idna_to_ascii(str_text(&text), false, ascii))
		result = put(x, out, ascii, strlen(ascii));
	else if (result == 0)
		result = put(x, out, str_text(&text), text.len);
	str_fini(&text);
	return result;
}

/* What stands between the braces of ${...}. */
static int expand_braced(
    struct expansion *x, const struct frame *up, struct slice inner, struct str *out)
{
	struct slice s = skip_blanks(inner);
	const char *raw;
	size_t n;
	char *name;
	int result;

	if (s.len > 0 && s.data[0] == '{')
		return expand_comparison(x, up, s, out);
	n = name_len(s);
	if (n == 0)
		return malformed(x, s, "a parameter name");
	name = alloc_strndup(s.data, n);
	s = skip_blanks(slice_of(s.data + n, s.len - n));
	if (s.len == 0) {
		result = expand_name(x, up, name, out);
	} else if (s.data[0] == '?' || s.data[0] == ':') {
		/* As Postfix: what counts is whether the text is empty before expansion. */
		raw = conf_raw(x->conf, name);
		x->lookups++;
		result = expand_choice(x, up, raw && *raw, s, out);
	} else if (s.data[0] == '{' && strcmp(name, "domain_to_ascii") == 0) {
		result = expand_to_ascii(x, up, s, out);
	} else {
		result = malformed(x, s, "'?', ':' or the closing brace");
	}
	free(name);
	return result;
}

/* One '$' expression at the front of *rest, which moves behind it. */
static int expand_dollar(
    struct expansion *x, const struct frame *up, struct slice *rest, struct str *out)
{
	struct slice s = slice_of(rest->data + 1, rest->len - 1), inner;
	size_t n;
	char *name;
	int result;

	if (s.len > 0 && s.data[0] == '$') {
		*rest = slice_of(s.data + 1, s.len - 1);
		return put(x, out, "$", 1);
	}
	if (s.len > 0 && (s.data[0] == '{' || s.data[0] == '(')) {
		if (!take_braced(x, &s, &inner))
			return malformed(x, *rest, "a closing brace");
		*rest = s;
		return expand_braced(x, up, inner, out);
	}
	n = name_len(s);
	if (n == 0)
		return malformed(x, *rest, "a parameter name after '$' (\"$$\" is a plain '$')");
	name = alloc_strndup(s.data, n);
	*rest = slice_of(s.data + n, s.len - n);
	result = expand_name(x, up, name, out);
	free(name);
	return result;
}

static int expand(struct expansion *x, const struct frame *up, struct slice text, struct str *out)
{
	int result = 0;

	if (++x->depth > DEPTH_MAX)
		result = err_set(x->err, 0, "more than %d levels of nested expressions", DEPTH_MAX);
	while (result == 0 && text.len > 0) {
		const char *dollar = memchr(text.data, '$', text.len);
		size_t plain = dollar ? (size_t)(dollar - text.data) : text.len;

		result = put(x, out, text.data, plain);
		text = slice_of(text.data + plain, text.len - plain);
		if (result == 0 && dollar)
			result = expand_dollar(x, up, &text, out);
	}
	x->depth--;
	return result;
}

int conf_expand(struct conf *conf, const char *text, struct str *out, struct err *err)
{
	struct expansion x = {.conf = conf, .err = err};

	return expand(&x, NULL, slice_text(text), out);
}

const char *conf_get(struct conf *conf, const char *name)
{
	struct expansion x = {.conf = conf};
	struct str out = {0};
	const char *value;

	if (expand_name(&x, NULL, name, &out) < 0)
		str_clear(&out);
	value = arena_strndup(&conf->arena, str_text(&out), out.len);
	str_fini(&out);
	return value;
}
