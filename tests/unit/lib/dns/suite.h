/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_DNS_SUITE_H
#define TESTS_UNIT_LIB_DNS_SUITE_H

#include <check.h>

TCase *decode_tcase(void);
TCase *resolver_tcase(void);

#endif
