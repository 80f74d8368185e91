/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_AUTH_SUITE_H
#define TESTS_UNIT_LIB_AUTH_SUITE_H

#include <check.h>

TCase *bound_tcase(void);
TCase *dovecot_line_tcase(void);
TCase *entry_tcase(void);
TCase *users_tcase(void);

#endif
