/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_QMGR_SUITE_H
#define TESTS_UNIT_QMGR_SUITE_H

#include <check.h>

TCase *window_tcase(void);
TCase *turns_tcase(void);
TCase *refill_tcase(void);
TCase *slots_tcase(void);
TCase *feedback_tcase(void);
TCase *rate_tcase(void);
TCase *agents_tcase(void);
TCase *finish_tcase(void);
TCase *scan_tcase(void);
TCase *intake_tcase(void);
TCase *jumps_tcase(void);
TCase *clog_tcase(void);
TCase *bucket_tcase(void);
TCase *limits_tcase(void);
TCase *show_tcase(void);

#endif
