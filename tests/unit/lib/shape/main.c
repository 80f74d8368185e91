/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/shape/suite.h"

#include <stdlib.h>

int main(void)
{
	Suite *s = suite_create("lib/shape");
	SRunner *sr;
	int failures;

	suite_add_tcase(s, shape_tcase());
	suite_add_tcase(s, checks_tcase());
	suite_add_tcase(s, map_tcase());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
