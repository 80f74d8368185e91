/* SPDX-License-Identifier: ISC */
#include "lib/smtp/command.h"

#include <string.h>
#include <strings.h>

#include "lib/mail/address.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static size_t skip_blanks(struct slice s, size_t at)
{
	while (at < s.len && is_blank(s.data[at]))
		at++;
	return at;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void smtp_command_split(struct slice line, struct slice *verb_out, struct slice *rest_out)
{
	size_t end = 0;

	line = slice_trim(line);
	while (end < line.len && !is_blank(line.data[end]))
		end++;
	*verb_out = slice_of(line.data, end);
	end = skip_blanks(line, end);
	*rest_out = slice_of(line.data + end, line.len - end);
}

struct slice smtp_command_shown(struct slice line)
{
	struct slice verb, rest;
	size_t mechanism = 0;

	smtp_command_split(line, &verb, &rest);
	if (!slice_eq_nocase(verb, "AUTH"))
		return line;
	while (mechanism < rest.len && !is_blank(rest.data[mechanism]))
		mechanism++;
	return slice_of(line.data, (size_t)(rest.data + mechanism - line.data));
}

/*
 * esmtp-param = esmtp-keyword ["=" esmtp-value]
 * esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)      (RFC 5321 4.1.2, RFC 6531 3.3)
 */
static const char *parse_param(struct slice word, bool strict, struct smtp_param *out)
{
	size_t i, n = 0;

	while (n < word.len && (is_alnum(word.data[n]) || (n > 0 && word.data[n] == '-')))
		n++;
	if (n == 0 || (n < word.len && word.data[n] != '='))
		return "malformed parameter name";
	out->keyword = slice_of(word.data, n);
	out->value = (struct slice){NULL, 0};
	if (n == word.len)
		return NULL;
	out->value = slice_of(word.data + n + 1, word.len - n - 1);
	if (out->value.len == 0 && strict)
		return "empty parameter value";
	for (i = 0; i < out->value.len; i++) {
		unsigned char c = (unsigned char)out->value.data[i];

		if (c <= 32 || c == 127 || (strict && c == '='))
			return "bad character in a parameter value";
	}
	return NULL;
}

static const char *parse_params(struct slice rest, bool strict, struct smtp_path_args *out)
{
	const char *why;
	size_t at, end;

	for (at = skip_blanks(rest, 0); at < rest.len; at = skip_blanks(rest, end)) {
		for (end = at; end < rest.len && !is_blank(rest.data[end]); end++)
			;
		if (out->param_count == ARRAY_LEN(out->params))
			return "too many parameters";
		why = parse_param(
		    slice_of(rest.data + at, end - at), strict, &out->params[out->param_count]);
		if (why)
			return why;
		out->param_count++;
	}
	return NULL;
}

const char *smtp_parse_path_args(
    struct slice rest, const char *keyword, bool strict, struct smtp_path_args *out)
{
	size_t at = strlen(keyword), used;

	str_clear(&out->address);
	out->param_count = 0;
	if (rest.len <= at || strncasecmp(rest.data, keyword, at) != 0 || rest.data[at] != ':')
		return "no FROM: or TO: before the address";
	at = skip_blanks(rest, at + 1);
	rest = slice_of(rest.data + at, rest.len - at);
	if (address_parse_path(rest, strict, &out->address, &used) < 0)
		return "malformed address";
	if (used < rest.len && !is_blank(rest.data[used]) && !is_blank(rest.data[used - 1]))
		return "text behind the address";
	return parse_params(slice_of(rest.data + used, rest.len - used), strict, out);
}

void smtp_path_args_fini(struct smtp_path_args *args)
{
	str_fini(&args->address);
}
