/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_AGENT_SUITE_H
#define TESTS_UNIT_LIB_AGENT_SUITE_H

#include <check.h>

TCase *delay_tcase(void);
TCase *filter_tcase(void);

#endif
