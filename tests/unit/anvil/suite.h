/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_ANVIL_SUITE_H
#define TESTS_UNIT_ANVIL_SUITE_H

#include <check.h>

TCase *save_tcase(void);

#endif
