/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/dns/suite.h"

int main(void)
{
	Suite *suite = suite_create("lib/dns");
	SRunner *sr;
	int failures;

	suite_add_tcase(suite, decode_tcase());
	suite_add_tcase(suite, resolver_tcase());
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
