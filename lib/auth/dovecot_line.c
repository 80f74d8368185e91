/* SPDX-License-Identifier: ISC */
#include "lib/auth/dovecot_line.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/base64.h"
#include "lib/base/num.h"
#include "lib/sasl/mechanism.h"

static const char escapes[] = "0\0001\001t\tr\rn\n"; /* letter behind \001, and its byte */

/* The next field of *rest; false at the end. */
static bool take_field(struct slice *rest, struct slice *out)
{
	const char *tab;

	if (!rest->data)
		return false;
	tab = rest->len ? memchr(rest->data, '\t', rest->len) : NULL;
	out->data = rest->data;
	out->len = tab ? (size_t)(tab - rest->data) : rest->len;
	*rest = tab ? slice_of(tab + 1, rest->len - out->len - 1) : slice_of(NULL, 0);
	return true;
}

/* false: a bad escape, a zero byte, or longer than size. */
static bool unescape(struct slice field, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < field.len; i++) {
		char c = field.data[i];

		if (c == '\001') {
			size_t e = 0;

			if (++i == field.len)
				return false;
			while (e < sizeof(escapes) - 1 && escapes[e] != field.data[i])
				e += 2;
			if (e >= sizeof(escapes) - 1)
				return false;
			c = escapes[e + 1];
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

/* A text for logs and replies: a bad one is as none. */
static void take_text(struct slice value, char *out, size_t size)
{
	if (!unescape(value, out, size))
		*out = '\0';
	text_make_printable(out, strlen(out));
}

static bool take_number(struct slice *rest, uint32_t *out)
{
	struct slice field;
	uint64_t n;

	if (!take_field(rest, &field) || !num_u64(field.data, field.len, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

/* Does field say "name=value"? */
static bool is_option(struct slice field, const char *name, struct slice *value_out)
{
	size_t len = strlen(name);

	if (field.len <= len || memcmp(field.data, name, len) != 0 || field.data[len] != '=')
		return false;
	*value_out = slice_of(field.data + len + 1, field.len - len - 1);
	return true;
}

static bool parse_version(struct slice rest, struct dovecot_line *out)
{
	return take_number(&rest, &out->number);
}

/* What the words of a MECH line add to what a mechanism gives, or take away. */
static bool parse_mech(struct slice rest, struct dovecot_line *out)
{
	static const struct {
		const char *word;
		unsigned add, remove;
	} words[] = {
	    {"plaintext", 0, SASL_NOPLAINTEXT},
	    {"active", 0, SASL_NOACTIVE},
	    {"dictionary", 0, SASL_NODICTIONARY},
	    {"anonymous", 0, SASL_NOANONYMOUS},
	    {"mutual-auth", SASL_MUTUAL_AUTH, 0},
	    {"forward-secrecy", SASL_FORWARD_SECRECY, 0},
	};
	struct slice field;

	if (!take_field(&rest, &field) || field.len == 0 || field.len > DOVECOT_MECH_MAX)
		return false;
	for (size_t i = 0; i < field.len; i++)
		if (field.data[i] <= ' ' || field.data[i] >= 127)
			return false;
	snprintf(out->name, sizeof(out->name), "%.*s", SLICE_ARG(field));
	out->security = SASL_NOPLAINTEXT | SASL_NOACTIVE | SASL_NODICTIONARY | SASL_NOANONYMOUS;
	while (take_field(&rest, &field)) {
		out->private |= slice_eq(field, "private");
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (slice_eq(field, words[i].word))
				out->security = (out->security | words[i].add) & ~words[i].remove;
	}
	return true;
}

static bool parse_cont(struct slice rest, struct dovecot_line *out)
{
	struct slice field = {0};

	if (!take_number(&rest, &out->number))
		return false;
	/* an empty challenge may lack its field */
	return !take_field(&rest, &field) || field.len == 0 ||
	       base64_decode(&out->data, field.data, field.len) == 0;
}

/* OK without a name that can be used is no OK. */
static bool parse_ok(struct slice rest, struct dovecot_line *out)
{
	struct slice field, value;

	if (!take_number(&rest, &out->number))
		return false;
	while (take_field(&rest, &field)) {
		if (!is_option(field, "user", &value))
			continue;
		if (!unescape(value, out->user, sizeof(out->user)))
			return false;
		for (const char *p = out->user; *p; p++)
			if ((unsigned char)*p < 32 || *p == 127)
				return false;
	}
	return out->user[0] != '\0';
}

static bool parse_fail(struct slice rest, struct dovecot_line *out)
{
	struct slice field, value;

	if (!take_number(&rest, &out->number))
		return false;
	while (take_field(&rest, &field)) {
		if (is_option(field, "user", &value))
			take_text(value, out->user, sizeof(out->user));
		else if (is_option(field, "reason", &value))
			take_text(value, out->reason, sizeof(out->reason));
		else if (slice_eq(field, "temp") || slice_eq(field, "code=temp_fail"))
			out->temporary = true;
	}
	return true;
}

static bool parse_done(struct slice rest, struct dovecot_line *out)
{
	(void)rest;
	(void)out;
	return true;
}

enum dovecot_kind dovecot_line_parse(struct slice line, struct dovecot_line *out)
{
	static const struct {
		const char *verb;
		enum dovecot_kind kind;
		bool (*parse)(struct slice rest, struct dovecot_line *out);
	} verbs[] = {
	    {"VERSION", DOVECOT_VERSION, parse_version},
	    {"MECH", DOVECOT_MECH, parse_mech},
	    {"DONE", DOVECOT_DONE, parse_done},
	    {"CONT", DOVECOT_CONT, parse_cont},
	    {"OK", DOVECOT_OK, parse_ok},
	    {"FAIL", DOVECOT_FAIL, parse_fail},
	};
	struct str data = out->data;
	struct slice verb;

	str_clear(&data);
	*out = (struct dovecot_line){.kind = DOVECOT_OTHER, .data = data};
	if (line.len == 0)
		return DOVECOT_OTHER;
	take_field(&line, &verb);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (slice_eq(verb, verbs[i].verb))
			out->kind = verbs[i].parse(line, out) ? verbs[i].kind : DOVECOT_BAD;
	if (out->kind == DOVECOT_BAD)
		out->user[0] = '\0'; /* it may be what is bad about it */
	return out->kind;
}

void dovecot_line_fini(struct dovecot_line *line)
{
	str_fini(&line->data);
}

void dovecot_put_field(struct str *out, const char *name, const char *value)
{
	str_printf(out, "\t%s=", name);
	for (; *value; value++) {
		size_t e = 2; /* no zero byte comes here */

		while (e < sizeof(escapes) - 1 && escapes[e + 1] != *value)
			e += 2;
		if (e < sizeof(escapes) - 1)
			str_put_char(out, '\001');
		str_put_char(out, e < sizeof(escapes) - 1 ? escapes[e] : *value);
	}
}
