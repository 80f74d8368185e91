/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_IO_SUITE_H
#define TESTS_UNIT_LIB_IO_SUITE_H

#include <check.h>

TCase *stream_tcase(void);

#endif
