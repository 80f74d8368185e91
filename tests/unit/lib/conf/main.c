/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/conf/suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/conf");
	SRunner *runner;
	int failures;

	suite_add_tcase(suite, lines_tcase());
	suite_add_tcase(suite, main_cf_tcase());
	suite_add_tcase(suite, expand_tcase());
	suite_add_tcase(suite, kinds_tcase());
	suite_add_tcase(suite, core_tcase());
	suite_add_tcase(suite, names_tcase());
	suite_add_tcase(suite, master_cf_tcase());
	suite_add_tcase(suite, template_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
