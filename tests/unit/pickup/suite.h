/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_PICKUP_SUITE_H
#define TESTS_UNIT_PICKUP_SUITE_H

#include <check.h>

TCase *take_tcase(void);

#endif
