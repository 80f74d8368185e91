/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_BOUNCE_SUITE_H
#define TESTS_UNIT_BOUNCE_SUITE_H

#include <check.h>

TCase *report_tcase(void);
TCase *notice_tcase(void);

#endif
