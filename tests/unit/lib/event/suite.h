/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_EVENT_SUITE_H
#define TESTS_UNIT_LIB_EVENT_SUITE_H

#include <check.h>

TCase *loop_tcase(void);

#endif
