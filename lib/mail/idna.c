/* SPDX-License-Identifier: ISC */
#include "lib/mail/idna.h"

#include <dlfcn.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"

bool idna_is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 128)
			return false;
	return true;
}

typedef int to_ascii_fn(const char *input, char **output, int flags);

/* Once loaded it stays, and this finds it again. NULL: it is not there (logged). */
static to_ascii_fn *load(void)
{
	void *library = dlopen("libidn2.so.0", RTLD_LAZY | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, "idn2_to_ascii_8z") : NULL;
	to_ascii_fn *function;

	if (!symbol)
		log_warn("international domain names: %s", dlerror());
	memcpy(&function, &symbol, sizeof(function)); /* as POSIX has it: they are the same */
	return function;
}

void idna_load(void)
{
	load();
}

static bool copy(const char *domain, char *out)
{
	bool fits = strlen(domain) < IDNA_MAX;

	snprintf(out, IDNA_MAX, "%s", fits ? domain : "");
	return fits;
}

/* Has it what UTS 46 maps otherwise when it is in transition: sharp s, final sigma, the joiners? */
static bool has_deviations(const char *domain)
{
	static const char *const deviations[] = {
	    "\xc3\x9f", "\xe1\xba\x9e", "\xcf\x82", "\xe2\x80\x8c", "\xe2\x80\x8d"};

	for (size_t i = 0; i < ARRAY_LEN(deviations); i++)
		if (strstr(domain, deviations[i]))
			return true;
	return false;
}

/*
 * IDNA 2008 has no symbols, but there are domains of them (a heart, a snowman), with mail. libidn2
 * converts them when it is in transition only; that makes no difference to what has no deviations.
 */
static int to_ascii(to_ascii_fn *convert, const char *domain, bool old, char **out)
{
	int rc =
	    convert(domain, out, IDN2_NFC_INPUT | (old ? IDN2_TRANSITIONAL : IDN2_NONTRANSITIONAL));

	if (rc == IDN2_DISALLOWED && !old && !has_deviations(domain))
		rc = convert(domain, out, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
	return rc;
}

bool idna_to_ascii(const char *domain, bool old, char *out)
{
	char *made = NULL;
	to_ascii_fn *convert;
	bool ok;

	if (idna_is_ascii(domain))
		return copy(domain, out);
	convert = load();
	ok = convert && to_ascii(convert, domain, old, &made) == IDN2_OK && copy(made, out);
	if (!ok)
		out[0] = '\0';
	free(made);
	return ok;
}
