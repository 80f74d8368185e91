/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/queue");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, record_tcase());
	suite_add_tcase(suite, envelope_tcase());
	suite_add_tcase(suite, id_tcase());
	suite_add_tcase(suite, journal_tcase());
	suite_add_tcase(suite, journal_index_tcase());
	suite_add_tcase(suite, lane_tcase());
	suite_add_tcase(suite, message_tcase());
	suite_add_tcase(suite, scan_tcase());
	suite_add_tcase(suite, where_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
