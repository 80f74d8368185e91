/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_TABLE_SUITE_H
#define TESTS_UNIT_LIB_TABLE_SUITE_H

#include <check.h>

TCase *alias_tcase(void);
TCase *build_tcase(void);
TCase *chain_tcase(void);
TCase *entry_tcase(void);
TCase *match_tcase(void);
TCase *pattern_tcase(void);
TCase *prefix_tcase(void);
TCase *table_tcase(void);

#endif
