/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_ABOUT_H
#define LIB_TLS_ABOUT_H

#include <stdbool.h>

/* Which OpenSSL this is, for `postconf -T` and bug reports. The texts are constants. */
const char *tls_about_build(void);   /* whose headers this was built with */
const char *tls_about_library(void); /* what is loaded now */

/* Can it use keys of that kind ("rsa", "ecdsa", "dsa")? */
bool tls_about_has_key(const char *name);

#endif
