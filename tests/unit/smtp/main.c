/* SPDX-License-Identifier: ISC */
#include "tests/unit/smtp/suite.h"

int main(void)
{
	Suite *suite = suite_create("smtp");
	SRunner *sr;
	int failures;

	suite_add_tcase(suite, destination_tcase());
	suite_add_tcase(suite, content_tcase());
	suite_add_tcase(suite, session_tcase());
	suite_add_tcase(suite, mx_tcase());
	suite_add_tcase(suite, delivery_tcase());
	suite_add_tcase(suite, keys_tcase());
	suite_add_tcase(suite, reuse_tcase());
	suite_add_tcase(suite, envelope_tcase());
	suite_add_tcase(suite, pass_tcase());
	suite_add_tcase(suite, auth_tcase());
	suite_add_tcase(suite, rewrite_tcase());
	suite_add_tcase(suite, outgoing_tcase());
	suite_add_tcase(suite, route_tcase());
	suite_add_tcase(suite, dialogue_tcase());
	suite_add_tcase(suite, lmtp_tcase());
	suite_add_tcase(suite, policy_tcase());
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
