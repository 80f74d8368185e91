/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/peer");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, bounce_log_tcase());
	suite_add_tcase(suite, counters_tcase());
	suite_add_tcase(suite, flush_log_tcase());
	suite_add_tcase(suite, maildrop_tcase());
	suite_add_tcase(suite, showq_tcase());
	suite_add_tcase(suite, note_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
