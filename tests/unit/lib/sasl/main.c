/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/sasl");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, mechanism_tcase());
	suite_add_tcase(suite, scram_tcase());
	suite_add_tcase(suite, client_tcase());
	suite_add_tcase(suite, server_tcase());
	suite_add_tcase(suite, token_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
