/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_BASE_SUITE_H
#define TESTS_UNIT_LIB_BASE_SUITE_H

#include <check.h>

TCase *str_tcase(void);
TCase *json_tcase(void);
TCase *map_tcase(void);
TCase *heap_tcase(void);
TCase *arena_tcase(void);
TCase *num_tcase(void);
TCase *crc_tcase(void);
TCase *list_tcase(void);
TCase *log_tcase(void);

#endif
