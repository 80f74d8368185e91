/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_VERIFY_SUITE_H
#define TESTS_UNIT_VERIFY_SUITE_H

#include <check.h>

TCase *cache_tcase(void);

#endif
