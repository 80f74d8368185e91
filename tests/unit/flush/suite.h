/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_FLUSH_SUITE_H
#define TESTS_UNIT_FLUSH_SUITE_H

#include <check.h>

TCase *handle_tcase(void);

#endif
