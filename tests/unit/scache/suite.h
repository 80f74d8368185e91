/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SCACHE_SUITE_H
#define TESTS_UNIT_SCACHE_SUITE_H

#include <check.h>

TCase *store_tcase(void);
TCase *serve_tcase(void);

#endif
