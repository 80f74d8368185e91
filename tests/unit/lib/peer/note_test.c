/* SPDX-License-Identifier: ISC */
/* The back-pressure of the queue manager, heard by who takes mail. */
#include "lib/peer/note.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/sys/clock.h"
#include "suite.h"

enum { LONG_MS = 300, NOTHING_MS = 100 };

static char dir[] = "/tmp/postern-note.XXXXXX";
static int listener;

static void listen_as_qmgr(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "public/qmgr"};

	ck_assert(mkdtemp(dir) && chdir(dir) == 0 && mkdir("public", 0700) == 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert(
	    bind(listener, (struct sockaddr *)&sun, sizeof(sun)) == 0 && listen(listener, 5) == 0);
}

static void clean(void)
{
	unlink("public/qmgr");
	rmdir("public");
	ck_assert_int_eq(rmdir(dir), 0);
}

static int64_t waits(struct notifier *n)
{
	int64_t before = clock_mono_ms();

	notifier_await_flow(n, LONG_MS);
	return clock_mono_ms() - before;
}

/* B and R are the two words, x one that is not known. */
static bool say(int fd, const char *words)
{
	struct str out = {0};
	bool ok;

	for (; *words; words++)
		frame_encode(&out,
		    *words == 'B'   ? NOTE_BEHIND
		    : *words == 'R' ? NOTE_ROOM
		                    : 99,
		    0, NULL, NULL);
	ok = out.len == 0 || write(fd, out.data, out.len) == (ssize_t)out.len;
	str_fini(&out);
	return ok;
}

static const struct {
	const char *said;
	bool waits;
} cases[] = {{"", false}, {"B", true}, {"BR", false}, {"BRB", true}, {"x", false}, {"Bx", false}};

START_TEST(the_last_byte_counts)
{
	struct notifier *n;
	int64_t waited;
	int fd;

	listen_as_qmgr();
	n = notifier_new();
	ck_assert_int_lt(waits(n), NOTHING_MS);
	fd = accept(listener, NULL, NULL);
	ck_assert(say(fd, cases[_i].said));
	waited = waits(n);
	if (cases[_i].waits)
		ck_assert_int_ge(waited, LONG_MS - 1);
	else
		ck_assert_int_lt(waited, NOTHING_MS);
	close(fd); /* and who is gone holds up nobody */
	ck_assert_int_lt(waits(n), NOTHING_MS);
	notifier_free(&n);
	clean();
}
END_TEST

START_TEST(ends_early)
{
	struct notifier *n;
	int fd;

	listen_as_qmgr();
	n = notifier_new();
	waits(n);
	fd = accept(listener, NULL, NULL);
	ck_assert(say(fd, "B"));
	if (fork() == 0) {
		usleep(20000);
		_exit(!say(fd, "R"));
	}
	ck_assert_int_lt(waits(n), LONG_MS - 50);
	notifier_free(&n);
	clean();
}
END_TEST

START_TEST(nonsense_ends_the_connection)
{
	struct notifier *n;
	int fd;

	listen_as_qmgr();
	n = notifier_new();
	waits(n);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(write(fd, "220 hello there\r\n", 17), 17);
	ck_assert_int_lt(waits(n), NOTHING_MS);
	notifier_free(&n);
	clean();
}
END_TEST

START_TEST(without_qmgr)
{
	struct notifier *n = notifier_new();

	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_lt(waits(n), NOTHING_MS);
	notifier_free(&n);
}
END_TEST

TCase *note_tcase(void)
{
	TCase *tc = tcase_create("note");

	tcase_add_loop_test(tc, the_last_byte_counts, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, ends_early);
	tcase_add_test(tc, nonsense_ends_the_connection);
	tcase_add_test(tc, without_qmgr);
	return tc;
}
