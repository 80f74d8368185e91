/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_COMMANDS_SENDMAIL_SUITE_H
#define TESTS_UNIT_COMMANDS_SENDMAIL_SUITE_H

#include <check.h>

TCase *rcpt_each_tcase(void);
TCase *text_filter_tcase(void);

#endif
