/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtp */
#include <string.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "smtp/ehlo.h"

/* The lines of an answer to EHLO, as lib/smtp/reply.h collects them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"dsn", "SIZE"};
	const struct conf_list discard = {words, ARRAY_LEN(words)};
	struct ehlo ehlo;

	ehlo_parse(slice_of((const char *)data, size), &discard, &ehlo);
	must(ehlo.features & FEATURE_ESMTP);
	must(!(ehlo.features & (FEATURE_DSN | FEATURE_SIZE)) && ehlo.size_limit == 0);
	must(memchr(ehlo.auth_mechanisms, 0, sizeof(ehlo.auth_mechanisms)) != NULL);
	must(memchr(ehlo.xforward, 0, sizeof(ehlo.xforward)) != NULL);
	must(!strstr(ehlo.auth_mechanisms, "  ") && ehlo.rcpt_max <= 999999);
	return 0;
}
