/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_CONF_SUITE_H
#define TESTS_UNIT_LIB_CONF_SUITE_H

#include <check.h>

TCase *lines_tcase(void);
TCase *main_cf_tcase(void);
TCase *expand_tcase(void);
TCase *kinds_tcase(void);
TCase *core_tcase(void);
TCase *names_tcase(void);
TCase *master_cf_tcase(void);
TCase *template_tcase(void);

#endif
