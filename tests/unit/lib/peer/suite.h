/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_PEER_SUITE_H
#define TESTS_UNIT_LIB_PEER_SUITE_H

#include <check.h>

TCase *bounce_log_tcase(void);
TCase *counters_tcase(void);
TCase *flush_log_tcase(void);
TCase *maildrop_tcase(void);
TCase *showq_tcase(void);
TCase *note_tcase(void);

#endif
