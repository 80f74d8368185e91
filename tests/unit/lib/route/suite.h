/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_ROUTE_SUITE_H
#define TESTS_UNIT_LIB_ROUTE_SUITE_H

#include <check.h>

TCase *resolve_tcase(void);
TCase *rewrite_tcase(void);
TCase *known_tcase(void);
TCase *nexthop_tcase(void);

#endif
