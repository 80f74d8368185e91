/* SPDX-License-Identifier: ISC */
#ifndef LIB_MAIL_DATE_H
#define LIB_MAIL_DATE_H

#include <stddef.h>
#include <time.h>

enum { MAIL_DATE_MAX = 64 };
/* RFC 5322 3.3 with the local zone and its name: "Sun, 22 Nov 2026 06:26:56 +0000 (UTC)". */
void mail_date(char out[MAIL_DATE_MAX], time_t when);

#endif
