/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/route/suite.h"

#include <stdlib.h>

int main(void)
{
	Suite *s = suite_create("lib/route");
	SRunner *sr;
	int failures;

	suite_add_tcase(s, resolve_tcase());
	suite_add_tcase(s, rewrite_tcase());
	suite_add_tcase(s, known_tcase());
	suite_add_tcase(s, nexthop_tcase());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
