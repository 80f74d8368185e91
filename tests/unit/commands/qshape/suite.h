/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_COMMANDS_QSHAPE_SUITE_H
#define TESTS_UNIT_COMMANDS_QSHAPE_SUITE_H

#include <check.h>

TCase *shape_tcase(void);

#endif
