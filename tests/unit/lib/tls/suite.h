/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_TLS_SUITE_H
#define TESTS_UNIT_LIB_TLS_SUITE_H

#include <check.h>

TCase *context_tcase(void);
TCase *digest_tcase(void);
TCase *session_tcase(void);
TCase *settings_tcase(void);

#endif
