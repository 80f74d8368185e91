/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/table/suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/table");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, alias_tcase());
	suite_add_tcase(suite, build_tcase());
	suite_add_tcase(suite, chain_tcase());
	suite_add_tcase(suite, entry_tcase());
	suite_add_tcase(suite, match_tcase());
	suite_add_tcase(suite, pattern_tcase());
	suite_add_tcase(suite, prefix_tcase());
	suite_add_tcase(suite, table_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
