/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("tlsmgr");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tickets_tcase());
	suite_add_tcase(suite, sessions_tcase());
	suite_add_tcase(suite, shared_tcase());
	suite_add_tcase(suite, chains_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
