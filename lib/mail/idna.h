/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_IDNA_H
#define LIB_MAIL_IDNA_H

#include <stdbool.h>

/*
 * Internationalized domain names (RFC 5890, RFC 5891, UTS 46), by libidn2; only here is it spoken
 * to. Names are UTF-8, in whatever locale. A name of ASCII alone is its own A-label form and is
 * copied without a look into it. Pure.
 */
enum { IDNA_MAX = 256 };

bool idna_is_ascii(const char *text);

/*
 * "münchen.example" to "xn--mnchen-3ya.example"; out has IDNA_MAX bytes. old: by the rules of 2003,
 * where "ß" is "ss" (enable_idna2003_compatibility). false: it is no domain name, and out is "".
 * libidn2 is mapped by the first process that meets such a name, not by each that could.
 */
bool idna_to_ascii(const char *domain, bool old, char *out);

/* For a process that will not see the library's file any more (chroot). */
void idna_load(void);

#endif
