/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/mail/suite.h"

#include <stdlib.h>

int main(void)
{
	Suite *s = suite_create("lib/mail");
	SRunner *sr;
	int failures;

	suite_add_tcase(s, address_tcase());
	suite_add_tcase(s, date_tcase());
	suite_add_tcase(s, header_tcase());
	suite_add_tcase(s, idna_tcase());
	suite_add_tcase(s, verp_tcase());
	suite_add_tcase(s, mime_tcase());
	suite_add_tcase(s, qp_tcase());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
