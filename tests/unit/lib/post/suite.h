/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_POST_SUITE_H
#define TESTS_UNIT_LIB_POST_SUITE_H

#include <check.h>

TCase *transcript_tcase(void);

#endif
