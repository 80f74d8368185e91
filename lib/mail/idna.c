/* SPDX-License-Identifier: ISC */
#include "lib/mail/idna.h"

#include <dlfcn.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool idna_to_ascii(const char *domain, bool old, char *out)
{
	int flags = IDN2_NFC_INPUT | (old ? IDN2_TRANSITIONAL : IDN2_NONTRANSITIONAL);
	char *made = NULL;
	to_ascii_fn *convert;
	bool ok;

	if (idna_is_ascii(domain))
		return copy(domain, out);
	convert = load();
	ok = convert && convert(domain, &made, flags) == IDN2_OK && copy(made, out);
	if (!ok)
		out[0] = '\0';
	free(made);
	return ok;
}
