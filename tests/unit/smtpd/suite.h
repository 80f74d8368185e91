/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTPD_SUITE_H
#define TESTS_UNIT_SMTPD_SUITE_H

#include <check.h>

TCase *args_tcase(void);
TCase *ccert_search_tcase(void);
TCase *chat_tcase(void);
TCase *access_tcase(void);
TCase *dns_list_tcase(void);
TCase *limits_tcase(void);
TCase *peer_tcase(void);
TCase *dialogue_tcase(void);
TCase *smuggling_tcase(void);

#endif
