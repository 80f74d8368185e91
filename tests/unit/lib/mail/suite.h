/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_MAIL_SUITE_H
#define TESTS_UNIT_LIB_MAIL_SUITE_H

#include <check.h>

TCase *address_tcase(void);
TCase *date_tcase(void);
TCase *header_tcase(void);
TCase *idna_tcase(void);
TCase *verp_tcase(void);
TCase *mime_tcase(void);
TCase *qp_tcase(void);

#endif
