/* SPDX-License-Identifier: ISC */
#include "smtp/ehlo.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/base/num.h"

static const struct {
	const char *keyword;
	unsigned feature;
} features[] = {
    {"PIPELINING", FEATURE_PIPELINING},
    {"SIZE", FEATURE_SIZE},
    {"8BITMIME", FEATURE_8BITMIME},
    {"ENHANCEDSTATUSCODES", FEATURE_STATUS_CODES},
    {"DSN", FEATURE_DSN},
    {"SMTPUTF8", FEATURE_SMTPUTF8},
    {"STARTTLS", FEATURE_STARTTLS},
    {"AUTH", FEATURE_AUTH},
    {"CHUNKING", FEATURE_CHUNKING},
    {"XFORWARD", FEATURE_XFORWARD},
    {"REQUIRETLS", FEATURE_REQUIRETLS},
    {"LIMITS", FEATURE_LIMITS},
};

static bool discarded(const struct conf_list *discard, const char *keyword)
{
	for (size_t i = 0; i < discard->count; i++)
		if (text_eq_nocase(discard->items[i], keyword))
			return true;
	return false;
}

static struct slice next_word(struct slice *rest)
{
	size_t len = 0;
	struct slice word;

	*rest = slice_trim(*rest);
	while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
		len++;
	word = slice_of(rest->data, len);
	*rest = slice_of(rest->data + len, rest->len - len);
	return word;
}

static bool has_word(const char *words, struct slice word)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (len == word.len && strncasecmp(words, word.data, len) == 0)
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

static void add_words(char *out, size_t size, struct slice args)
{
	struct slice word;

	while ((word = next_word(&args)).len > 0) {
		size_t used = strlen(out);

		if (used + word.len + 2 > size || has_word(out, word) ||
		    memchr(word.data, '\0', word.len))
			continue;
		if (used > 0)
			out[used++] = ' ';
		memcpy(out + used, word.data, word.len);
		out[used + word.len] = '\0';
		for (char *p = out + used; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
	}
}

/* "RCPTMAX=100 MAILMAX=20": a name not known, or a value that is no number, says nothing. */
static void set_limits(struct ehlo *out, struct slice args)
{
	const struct {
		const char *name;
		unsigned *at;
	} limits[] = {{"MAILMAX", &out->mail_max}, {"RCPTMAX", &out->rcpt_max},
	    {"RCPTDOMAINMAX", &out->rcpt_domain_max}};
	struct slice word;

	while ((word = next_word(&args)).len > 0) {
		const char *equals = memchr(word.data, '=', word.len);
		size_t len = equals ? (size_t)(equals - word.data) : 0;
		uint64_t value;

		for (size_t i = 0; equals && i < ARRAY_LEN(limits); i++)
			if (slice_eq_nocase(slice_of(word.data, len), limits[i].name) &&
			    num_u64(equals + 1, word.len - len - 1, 999999, &value) && value > 0)
				*limits[i].at = (unsigned)value;
	}
}

static void set_arguments(struct ehlo *out, unsigned feature, struct slice args)
{
	switch (feature) {
	case FEATURE_SIZE:
		args = slice_trim(args);
		if (args.len)
			num_u64(args.data, args.len, UINT64_MAX / 2, &out->size_limit);
		break;
	case FEATURE_AUTH:
		add_words(out->auth_mechanisms, sizeof(out->auth_mechanisms), args);
		break;
	case FEATURE_XFORWARD:
		add_words(out->xforward, sizeof(out->xforward), args);
		break;
	case FEATURE_LIMITS:
		set_limits(out, args);
		break;
	default:
		break;
	}
}

/* "250-SIZE 10240000": the line behind its code. "AUTH=PLAIN" is what servers said before RFC 2554.
 */
static void parse_feature(struct slice line, const struct conf_list *discard, struct ehlo *out)
{
	size_t len = 0;

	while (len < line.len && line.data[len] != ' ' && line.data[len] != '=')
		len++;
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (!slice_eq_nocase(slice_of(line.data, len), features[i].keyword) ||
		    discarded(discard, features[i].keyword))
			continue;
		out->features |= features[i].feature;
		if (len < line.len)
			set_arguments(out, features[i].feature,
			    slice_of(line.data + len + 1, line.len - len - 1));
		return;
	}
}

void ehlo_parse(struct slice lines, const struct conf_list *discard, struct ehlo *out)
{
	bool first = true;

	memset(out, 0, sizeof(*out));
	out->features = FEATURE_ESMTP;
	while (lines.len > 0) {
		const char *lf = memchr(lines.data, '\n', lines.len);
		size_t len = lf ? (size_t)(lf - lines.data) : lines.len;

		if (!first && len > 4)
			parse_feature(slice_of(lines.data + 4, len - 4), discard, out);
		first = false;
		len += lf != NULL;
		lines = slice_of(lines.data + len, lines.len - len);
	}
}
