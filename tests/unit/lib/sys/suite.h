/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SYS_SUITE_H
#define TESTS_UNIT_LIB_SYS_SUITE_H

#include <check.h>

TCase *net_tcase(void);
TCase *fd_tcase(void);
TCase *crew_tcase(void);

#endif
