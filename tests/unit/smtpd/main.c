/* SPDX-License-Identifier: ISC */
#include "suite.h"

int main(void)
{
	Suite *suite = suite_create("smtpd");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, args_tcase());
	suite_add_tcase(suite, ccert_search_tcase());
	suite_add_tcase(suite, chat_tcase());
	suite_add_tcase(suite, access_tcase());
	suite_add_tcase(suite, dns_list_tcase());
	suite_add_tcase(suite, limits_tcase());
	suite_add_tcase(suite, peer_tcase());
	suite_add_tcase(suite, dialogue_tcase());
	suite_add_tcase(suite, smuggling_tcase());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
