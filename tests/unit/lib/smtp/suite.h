/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SMTP_SUITE_H
#define TESTS_UNIT_LIB_SMTP_SUITE_H

#include <check.h>

TCase *command_tcase(void);
TCase *reply_tcase(void);
TCase *dot_tcase(void);
TCase *proxy_header_tcase(void);
TCase *xtext_tcase(void);

#endif
