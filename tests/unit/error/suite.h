/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_ERROR_SUITE_H
#define TESTS_UNIT_ERROR_SUITE_H

#include <check.h>

TCase *agent_tcase(void);

#endif
