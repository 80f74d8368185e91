/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_QUEUE_SUITE_H
#define TESTS_UNIT_LIB_QUEUE_SUITE_H

#include <check.h>

TCase *record_tcase(void);
TCase *envelope_tcase(void);
TCase *id_tcase(void);
TCase *journal_tcase(void);
TCase *journal_index_tcase(void);
TCase *lane_tcase(void);
TCase *message_tcase(void);
TCase *scan_tcase(void);
TCase *where_tcase(void);

#endif
