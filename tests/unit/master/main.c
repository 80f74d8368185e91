/* SPDX-License-Identifier: ISC */
#include "tests/unit/master/suite.h"

int main(void)
{
	Suite *suite = suite_create("master");
	SRunner *runner;
	int failures;

	suite_add_tcase(suite, throttle_tcase());
	suite_add_tcase(suite, endpoint_tcase());
	suite_add_tcase(suite, spawn_tcase());
	suite_add_tcase(suite, config_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
