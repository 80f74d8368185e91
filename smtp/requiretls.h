/* SPDX-License-Identifier: ISC */
#ifndef SMTP_REQUIRETLS_H
#define SMTP_REQUIRETLS_H

#include "lib/table/table.h"

/* smtp_requiretls_policy: what a sender's REQUIRETLS (RFC 8689) is worth, by destination. */
enum requiretls {
	REQUIRETLS_OFF,           /* disable: as if nobody had asked */
	REQUIRETLS_OPPORTUNISTIC, /* asked of servers that offer it; the others get the mail, too */
	REQUIRETLS_STARTTLS,      /* opportunistic+starttls: likewise, but only under TLS */
	REQUIRETLS_ENFORCE,       /* a server that proves who it is and offers it, or back */
	REQUIRETLS_ERROR,         /* cannot be told: the mail waits */
};

struct requiretls_policy;
/*
 * text: words of the above ("error" too) and tables whose values are such words, in the order in
 * which they are asked. What is no such word is an error when it is reached; it is logged here.
 * NULL: everybody is to enforce it.
 */
struct requiretls_policy *requiretls_open(const char *parameter, const char *text);
void requiretls_close(struct requiretls_policy **policy);
enum table_age requiretls_age(const struct requiretls_policy *policy);
/*
 * destination: a domain or an address, without brackets. Tables are asked for a domain, then for
 * ".parent" of it and so on; names in UTF-8 in the A-label form. Errors are logged.
 */
enum requiretls requiretls_find(const struct requiretls_policy *policy, const char *destination);

#endif
