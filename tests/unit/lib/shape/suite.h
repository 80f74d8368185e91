/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SHAPE_SUITE_H
#define TESTS_UNIT_LIB_SHAPE_SUITE_H

#include <check.h>

TCase *shape_tcase(void);
TCase *checks_tcase(void);
TCase *map_tcase(void);

#endif
