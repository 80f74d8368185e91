/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/tls");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, digest_tcase());
	suite_add_tcase(suite, settings_tcase());
	suite_add_tcase(suite, context_tcase());
	suite_add_tcase(suite, session_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
