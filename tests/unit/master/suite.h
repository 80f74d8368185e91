/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_MASTER_SUITE_H
#define TESTS_UNIT_MASTER_SUITE_H

#include <check.h>

TCase *throttle_tcase(void);
TCase *endpoint_tcase(void);
TCase *spawn_tcase(void);
TCase *config_tcase(void);

#endif
