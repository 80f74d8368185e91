/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_SASL_SUITE_H
#define TESTS_UNIT_LIB_SASL_SUITE_H

#include <check.h>

TCase *mechanism_tcase(void);
TCase *scram_tcase(void);
TCase *client_tcase(void);
TCase *server_tcase(void);
TCase *token_tcase(void);

#endif
