/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LOCAL_SUITE_H
#define TESTS_UNIT_LOCAL_SUITE_H

#include <check.h>

TCase *alias_tcase(void);
TCase *content_tcase(void);
TCase *command_tcase(void);
TCase *subst_tcase(void);
TCase *store_tcase(void);
TCase *expand_tcase(void);

#endif
