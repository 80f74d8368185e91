/* SPDX-License-Identifier: ISC */
#include "tests/unit/qmgr/suite.h"

int main(void)
{
	Suite *suite = suite_create("qmgr");
	SRunner *sr;
	int failures;

	suite_add_tcase(suite, window_tcase());
	suite_add_tcase(suite, turns_tcase());
	suite_add_tcase(suite, refill_tcase());
	suite_add_tcase(suite, slots_tcase());
	suite_add_tcase(suite, feedback_tcase());
	suite_add_tcase(suite, rate_tcase());
	suite_add_tcase(suite, agents_tcase());
	suite_add_tcase(suite, finish_tcase());
	suite_add_tcase(suite, scan_tcase());
	suite_add_tcase(suite, intake_tcase());
	suite_add_tcase(suite, jumps_tcase());
	suite_add_tcase(suite, clog_tcase());
	suite_add_tcase(suite, bucket_tcase());
	suite_add_tcase(suite, limits_tcase());
	suite_add_tcase(suite, show_tcase());
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
