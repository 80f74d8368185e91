/* SPDX-License-Identifier: ISC */
#include "lib/sasl/mechanism.h"

#include <string.h>

enum {
	SCRAM_GIVES = SASL_NOPLAINTEXT | SASL_NOACTIVE | SASL_NOANONYMOUS | SASL_MUTUAL_AUTH,
	CRAM_GIVES = SASL_NOPLAINTEXT | SASL_NOANONYMOUS,
	PLAIN_GIVES = SASL_NOANONYMOUS,
};

/* In the order of preference. A token in the hands of a listener is as good as a password. */
static const struct sasl_mechanism mechanisms[] = {
    {"SCRAM-SHA-256", SASL_SCRAM_SHA_256, SCRAM_GIVES, false, true},
    {"SCRAM-SHA-1", SASL_SCRAM_SHA_1, SCRAM_GIVES, false, true},
    {"CRAM-MD5", SASL_CRAM_MD5, CRAM_GIVES, false, false},
    {"PLAIN", SASL_PLAIN, PLAIN_GIVES, false, true},
    {"LOGIN", SASL_LOGIN, PLAIN_GIVES, false, true},
    {"OAUTHBEARER", SASL_OAUTHBEARER, PLAIN_GIVES, true, true},
    {"XOAUTH2", SASL_XOAUTH2, PLAIN_GIVES, true, true},
};

const struct sasl_mechanism *sasl_mechanism_at(size_t i)
{
	return i < ARRAY_LEN(mechanisms) ? &mechanisms[i] : NULL;
}

const struct sasl_mechanism *sasl_mechanism_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
		if (slice_eq_nocase(name, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

const struct conf_enum sasl_security_names[] = {
    {"noplaintext", SASL_NOPLAINTEXT},
    {"noactive", SASL_NOACTIVE},
    {"nodictionary", SASL_NODICTIONARY},
    {"noanonymous", SASL_NOANONYMOUS},
    {"mutual_auth", SASL_MUTUAL_AUTH},
    {"forward_secrecy", SASL_FORWARD_SECRECY},
    {NULL, 0},
};

static bool names(struct slice list, const char *name)
{
	const char *p = list.data, *end = p + list.len;

	while (list.len && p < end) {
		const char *stop;

		while (p < end && *p == ' ')
			p++;
		for (stop = p; stop < end && *stop != ' ';)
			stop++;
		if (slice_eq_nocase(slice_of(p, (size_t)(stop - p)), name))
			return true;
		p = stop;
	}
	return false;
}

const struct sasl_mechanism *sasl_mechanism_choose(
    struct slice offered, unsigned wanted, bool bearer)
{
	for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
		const struct sasl_mechanism *m = &mechanisms[i];

		if (bearer && !m->bearer)
			continue;
		if ((wanted & ~m->security) == 0 && names(offered, m->name))
			return m;
	}
	return NULL;
}
