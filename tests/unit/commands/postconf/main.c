/* SPDX-License-Identifier: ISC */
#include "tests/unit/commands/postconf/suite.h"

int main(void)
{
	Suite *suite = suite_create("commands/postconf");
	SRunner *runner;
	int failures;

	suite_add_tcase(suite, tables_tcase());
	suite_add_tcase(suite, services_tcase());
	suite_add_tcase(suite, show_tcase());
	suite_add_tcase(suite, edit_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
