/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/service/suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/service");
	SRunner *runner;
	int failures;

	suite_add_tcase(suite, scoreboard_tcase());
	suite_add_tcase(suite, receive_tcase());
	suite_add_tcase(suite, facility_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
