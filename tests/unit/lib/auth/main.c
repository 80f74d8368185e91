/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/auth");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, bound_tcase());
	suite_add_tcase(suite, dovecot_line_tcase());
	suite_add_tcase(suite, entry_tcase());
	suite_add_tcase(suite, users_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
