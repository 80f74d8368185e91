/* SPDX-License-Identifier: ISC */
#include "lib/tls/internal.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"

static const struct {
	const char *name;
	unsigned bit;
	int version;
} protocols[] = {
    {"SSLv2", 0, SSL2_VERSION}, /* nobody speaks it any more: to exclude it is no work */
    {"SSLv3", TLS_PROTO_SSLV3, SSL3_VERSION},
    {"TLSv1", TLS_PROTO_TLSV1, TLS1_VERSION},
    {"TLSv1.0", TLS_PROTO_TLSV1, TLS1_VERSION},
    {"TLSv1.1", TLS_PROTO_TLSV1_1, TLS1_1_VERSION},
    {"TLSv1.2", TLS_PROTO_TLSV1_2, TLS1_2_VERSION},
    {"TLSv1.3", TLS_PROTO_TLSV1_3, TLS1_3_VERSION},
};

/* The row of a name, or -1. */
static int find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (slice_eq_nocase(name, protocols[i].name))
			return (int)i;
	return -1;
}

static int unknown(struct slice word, struct err *err)
{
	return err_set(err, 0,
	    "\"%.*s\": expected SSLv3, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, with !, >= or <= before "
	    "it or alone",
	    SLICE_ARG(word));
}

/* The version behind ">=" or "<=": a name or a number as on the wire. */
static int parse_bound(struct slice word, int *out, struct err *err)
{
	struct slice name = slice_of(word.data + 2, word.len - 2);
	char digits[16], *end;
	int row = find(name);
	long number;

	if (row >= 0) {
		*out = protocols[row].version;
		return 0;
	}
	if (name.len < 3 || name.len >= sizeof(digits) || name.data[0] != '0')
		return unknown(word, err);
	memcpy(digits, name.data, name.len);
	digits[name.len] = '\0';
	number = strtol(digits, &end, 16);
	if (*end || number < SSL3_VERSION || number > 0x03ff)
		return unknown(word, err);
	*out = (int)number;
	return 0;
}

static int parse_word(
    struct slice word, struct tls_protocols *out, unsigned *included, struct err *err)
{
	int row;

	if (word.len > 2 && (word.data[0] == '>' || word.data[0] == '<') && word.data[1] == '=')
		return parse_bound(word, word.data[0] == '>' ? &out->min : &out->max, err);
	if (word.data[0] == '!') {
		row = find(slice_of(word.data + 1, word.len - 1));
		if (row < 0)
			return unknown(word, err);
		out->excluded |= protocols[row].bit;
		return 0;
	}
	row = find(word);
	if (row < 0)
		return unknown(word, err);
	*included |= protocols[row].bit;
	return 0;
}

int tls_protocols_parse(const char *text, struct tls_protocols *out, struct err *err)
{
	static const char separators[] = ", \t\r\n:";
	unsigned included = 0;

	*out = (struct tls_protocols){0};
	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		struct slice word = slice_of(text, strcspn(text, separators));

		if (parse_word(word, out, &included, err) < 0)
			return -1;
		text += word.len;
	}
	if (included)
		out->excluded |= TLS_PROTO_ALL & ~included;
	if (out->excluded == TLS_PROTO_ALL || (out->max && out->max < out->min))
		return err_set(err, 0, "no protocol is left");
	return 0;
}

uint64_t tls_protocol_options(const struct tls_protocols *p)
{
	static const struct {
		unsigned bit;
		uint64_t option;
	} exclusions[] = {
	    {TLS_PROTO_SSLV3, SSL_OP_NO_SSLv3},
	    {TLS_PROTO_TLSV1, SSL_OP_NO_TLSv1},
	    {TLS_PROTO_TLSV1_1, SSL_OP_NO_TLSv1_1},
	    {TLS_PROTO_TLSV1_2, SSL_OP_NO_TLSv1_2},
	    {TLS_PROTO_TLSV1_3, SSL_OP_NO_TLSv1_3},
	};
	uint64_t options = 0;

	for (size_t i = 0; i < ARRAY_LEN(exclusions); i++)
		if (p->excluded & exclusions[i].bit)
			options |= exclusions[i].option;
	return options;
}
