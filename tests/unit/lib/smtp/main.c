/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/smtp/suite.h"

#include <stdlib.h>

int main(void)
{
	Suite *s = suite_create("lib/smtp");
	SRunner *sr;
	int failures;

	suite_add_tcase(s, command_tcase());
	suite_add_tcase(s, reply_tcase());
	suite_add_tcase(s, dot_tcase());
	suite_add_tcase(s, proxy_header_tcase());
	suite_add_tcase(s, xtext_tcase());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
