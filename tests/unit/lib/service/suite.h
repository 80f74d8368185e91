/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SERVICE_SUITE_H
#define TESTS_UNIT_LIB_SERVICE_SUITE_H

#include <check.h>

TCase *scoreboard_tcase(void);
TCase *receive_tcase(void);
TCase *facility_tcase(void);

#endif
