/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_TLSMGR_SUITE_H
#define TESTS_UNIT_TLSMGR_SUITE_H

#include <check.h>

TCase *tickets_tcase(void);
TCase *sessions_tcase(void);
TCase *shared_tcase(void);
TCase *chains_tcase(void);

#endif
