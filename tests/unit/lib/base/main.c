/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/base");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, str_tcase());
	suite_add_tcase(suite, json_tcase());
	suite_add_tcase(suite, map_tcase());
	suite_add_tcase(suite, heap_tcase());
	suite_add_tcase(suite, arena_tcase());
	suite_add_tcase(suite, num_tcase());
	suite_add_tcase(suite, crc_tcase());
	suite_add_tcase(suite, list_tcase());
	suite_add_tcase(suite, log_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
