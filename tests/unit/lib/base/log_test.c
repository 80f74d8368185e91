/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

/* Is that what has been written to the log since the last look, tags aside? */
static bool came(int fd, const char *const *texts, size_t count)
{
	char bytes[16384] = "", *at = bytes;
	ssize_t len = read(fd, bytes, sizeof(bytes) - 1);

	for (size_t i = 0; i < count; i++) {
		at = at ? strstr(at, texts[i]) : NULL;
		at = at ? strchr(at, '\n') : NULL;
		at = at ? at + 1 : NULL;
	}
	return count == 0 ? len < 0 : at && *at == '\0';
}
#define CAME(...) \
	came(ends[0], (const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / 8)
#define NOTHING_CAME() came(ends[0], NULL, 0)

START_TEST(holds_lines_and_lets_them_out)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	log_open(LOG_TO_FD, ends[1], 0);
	log_hold();
	log_info("one");
	log_warn("two");
	ck_assert(log_held() && NOTHING_CAME());
	log_let_out();
	ck_assert(!log_held() && CAME("one", "warning: two"));
	log_info("three");
	ck_assert(log_held() && NOTHING_CAME());
	log_release();
	ck_assert(!log_held() && CAME("three"));
	log_info("four");
	ck_assert(!log_held() && CAME("four"));
	log_let_out();
	log_info("five");
	ck_assert(!log_held() && CAME("five"));
	log_open(LOG_TO_STDERR, STDERR_FILENO, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(holds_no_more_than_it_has_room_for)
{
	char text[1500];
	int ends[2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	log_open(LOG_TO_FD, ends[1], 0);
	log_hold();
	for (int i = 0; i < 3; i++)
		log_info("%d%s", i, text);
	ck_assert(log_held() && CAME("0xxx", "1xxx"));
	log_release();
	ck_assert(CAME("2xxx"));
	log_open(LOG_TO_STDERR, STDERR_FILENO, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

TCase *log_tcase(void)
{
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, holds_lines_and_lets_them_out);
	tcase_add_test(tcase, holds_no_more_than_it_has_room_for);
	return tcase;
}
