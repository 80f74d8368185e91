/* SPDX-License-Identifier: ISC */
#include "lib/mail/idna.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

bool idna_is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 128)
			return false;
	return true;
}

/* Takes what the library made; false when it failed or made too much. */
static bool take(int result, char *made, char *out)
{
	bool fits = result == IDN2_OK && made && strlen(made) < IDNA_MAX;

	snprintf(out, IDNA_MAX, "%s", fits ? made : "");
	idn2_free(result == IDN2_OK ? made : NULL);
	return fits;
}

static bool copy(const char *domain, char *out)
{
	bool fits = strlen(domain) < IDNA_MAX;

	snprintf(out, IDNA_MAX, "%s", fits ? domain : "");
	return fits;
}

bool idna_to_ascii(const char *domain, bool old, char *out)
{
	char *made = NULL;
	int result;

	if (idna_is_ascii(domain))
		return copy(domain, out);
	result = idn2_to_ascii_8z(
	    domain, &made, IDN2_NFC_INPUT | (old ? IDN2_TRANSITIONAL : IDN2_NONTRANSITIONAL));
	return take(result, made, out);
}
