/* SPDX-License-Identifier: ISC */
/* Plays all of tests/dialogue/smtpd; SMTPD_DIALOGUE=file plays one. */
#include <glob.h>
#include <stdlib.h>

#include "player.h"
#include "suite.h"

static glob_t files;

START_TEST(plays)
{
	char *path = files.gl_pathc ? realpath(files.gl_pathv[_i], NULL) : NULL;

	ck_assert_msg(path && dialogue_play(path), "%s", path ? path : "no dialogues here");
	free(path);
}
END_TEST

TCase *dialogue_tcase(void)
{
	TCase *tcase = tcase_create("dialogue");
	const char *one = getenv("SMTPD_DIALOGUE");

	glob(one ? one : "tests/dialogue/smtpd/*.txt", 0, NULL, &files);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, plays, 0, files.gl_pathc ? (int)files.gl_pathc : 1);
	return tcase;
}
