/* SPDX-License-Identifier: ISC */
#include "lib/sasl/token.h"

#include <limits.h>
#include <string.h>

#include "lib/base/num.h"
#include "lib/tls/digest.h"

/*
 * Of JSON (RFC 8259) only as much as is needed to find two members of the outer object and to step
 * over all others. Tokens are ASCII, so an escape beyond that makes a string unfit, not the text.
 */
struct json {
	const char *p, *end;
};

static void skip_blank(struct json *j)
{
	while (j->p < j->end && strchr(" \t\r\n", *j->p) && *j->p)
		j->p++;
}

static bool eat(struct json *j, char c)
{
	skip_blank(j);
	if (j->p == j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

/* Behind the backslash. */
static bool parse_escape(struct json *j, struct str *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = j->p < j->end && *j->p ? strchr(from, *j->p) : NULL;
	unsigned code = 0;

	if (at) {
		j->p++;
		str_put_char(out, to[at - from]);
		return true;
	}
	if (j->end - j->p < 5 || *j->p != 'u')
		return false;
	for (int i = 1; i <= 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = j->p[i] ? strchr(digits, j->p[i] | 0x20) : NULL;

		if (!digit)
			return false;
		code = code << 4 | (unsigned)(digit - digits);
	}
	j->p += 5;
	str_put_char(out, code > 0 && code < 128 ? (char)code : '\x80');
	return true;
}

static bool parse_string(struct json *j, struct str *out)
{
	str_clear(out);
	if (!eat(j, '"'))
		return false;
	while (j->p < j->end) {
		char c = *j->p++;

		if (c == '"')
			return true;
		if ((unsigned char)c < 32)
			return false;
		if (c != '\\')
			str_put_char(out, c);
		else if (!parse_escape(j, out))
			return false;
	}
	return false;
}

/* A number, true, false, null: what stands there is left to whoever wants it. */
static bool parse_word(struct json *j, struct str *out)
{
	str_clear(out);
	skip_blank(j);
	while (j->p < j->end && *j->p && !strchr(" \t\r\n,]}:[{\"", *j->p))
		str_put_char(out, *j->p++);
	return out->len > 0;
}

/* Steps over one value of any kind; what was its text is in *scratch. */
static bool parse_value(struct json *j, struct str *scratch)
{
	size_t depth = 0;
	char closing[TOKEN_DEPTH_MAX];

	do {
		skip_blank(j);
		if (j->p == j->end)
			return false;
		if (*j->p == '{' || *j->p == '[') {
			if (depth == TOKEN_DEPTH_MAX)
				return false;
			closing[depth++] = *j->p++ == '{' ? '}' : ']';
		} else if (depth && *j->p == closing[depth - 1]) {
			depth--;
			j->p++;
		} else if (depth && (*j->p == ',' || *j->p == ':')) {
			j->p++;
		} else if (!(*j->p == '"' ? parse_string(j, scratch) : parse_word(j, scratch))) {
			return false;
		}
	} while (depth);
	return true;
}

static bool parse_object(struct json *j, struct token_text *out)
{
	struct str name = {0}, value = {0};
	bool good = eat(j, '{');
	uint64_t seconds;

	if (good && eat(j, '}'))
		goto done;
	while (good) {
		bool is_text;

		good = parse_string(j, &name) && eat(j, ':');
		skip_blank(j);
		is_text = j->p < j->end && *j->p == '"';
		good = good && parse_value(j, &value);
		if (good && is_text && strcmp(str_text(&name), "access_token") == 0) {
			str_clear(&out->token);
			str_put(&out->token, value.data, value.len);
		} else if (good && strcmp(str_text(&name), "expires_in") == 0 &&
		           num_u64(str_text(&value), strcspn(str_text(&value), "."), INT_MAX,
		               &seconds)) {
			out->lifetime = (int)seconds;
		}
		digest_wipe(value.data, value.len);
		if (good && !eat(j, ',')) {
			good = eat(j, '}');
			break;
		}
	}
done:
	str_fini(&name);
	str_fini(&value);
	skip_blank(j);
	return good && j->p == j->end;
}

static struct slice next_line(struct slice *rest)
{
	const char *lf = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	struct slice line = slice_of(rest->data, lf ? (size_t)(lf - rest->data) : rest->len);
	size_t taken = line.len + (lf != NULL);

	*rest = slice_of(rest->data + taken, rest->len - taken);
	return slice_trim(line);
}

static bool parse_lines(struct slice text, struct token_text *out)
{
	struct slice line = next_line(&text);
	uint64_t seconds;

	str_put(&out->token, line.data, line.len);
	line = next_line(&text);
	if (line.len && !num_u64(line.data, line.len, INT_MAX, &seconds))
		return false;
	if (line.len)
		out->lifetime = (int)seconds;
	return slice_trim(text).len == 0;
}

int token_text_parse(struct slice text, struct token_text *out, struct err *err)
{
	bool good;

	out->lifetime = -1;
	out->token.max = TOKEN_MAX;
	str_clear(&out->token);
	text = slice_trim(text);
	if (text.len > TOKEN_TEXT_MAX)
		return err_set(err, 0, "more than %d bytes", TOKEN_TEXT_MAX);
	if (text.len && text.data[0] == '{') {
		struct json j = {text.data, text.data + text.len};

		good = parse_object(&j, out);
	} else {
		good = parse_lines(text, out);
	}
	if (!good)
		return err_set(
		    err, 0, "expected a token, and its seconds on a second line, or a JSON object");
	if (out->token.overflow)
		return err_set(err, 0, "the token is longer than %d bytes", TOKEN_MAX);
	for (size_t i = 0; i < out->token.len; i++)
		if (out->token.data[i] <= ' ' || out->token.data[i] >= 127)
			return err_set(err, 0, "the token has characters that none can have");
	return out->token.len ? 0 : err_set(err, 0, "there is no token in it");
}

void token_text_fini(struct token_text *t)
{
	if (t->token.len)
		digest_wipe(t->token.data, t->token.len);
	str_fini(&t->token);
}
