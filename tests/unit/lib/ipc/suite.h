/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_IPC_SUITE_H
#define TESTS_UNIT_LIB_IPC_SUITE_H

#include <check.h>

TCase *frame_tcase(void);
TCase *channel_tcase(void);

#endif
