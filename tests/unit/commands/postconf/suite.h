/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_COMMANDS_POSTCONF_SUITE_H
#define TESTS_UNIT_COMMANDS_POSTCONF_SUITE_H

#include <check.h>

TCase *tables_tcase(void);
TCase *services_tcase(void);
TCase *show_tcase(void);
TCase *edit_tcase(void);

#endif
