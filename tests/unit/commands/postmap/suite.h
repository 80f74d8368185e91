/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_COMMANDS_POSTMAP_SUITE_H
#define TESTS_UNIT_COMMANDS_POSTMAP_SUITE_H

#include <check.h>

TCase *message_tcase(void);

#endif
