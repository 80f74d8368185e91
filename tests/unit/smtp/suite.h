/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTP_SUITE_H
#define TESTS_UNIT_SMTP_SUITE_H

#include <check.h>

TCase *destination_tcase(void);
TCase *content_tcase(void);
TCase *session_tcase(void);
TCase *mx_tcase(void);
TCase *delivery_tcase(void);
TCase *keys_tcase(void);
TCase *reuse_tcase(void);
TCase *envelope_tcase(void);
TCase *pass_tcase(void);
TCase *auth_tcase(void);
TCase *rewrite_tcase(void);
TCase *outgoing_tcase(void);
TCase *route_tcase(void);
TCase *dialogue_tcase(void);
TCase *lmtp_tcase(void);
TCase *policy_tcase(void);

#endif
