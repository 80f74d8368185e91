/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "tests/unit/smtp/fixture.h"
#include "tests/unit/smtp/suite.h"

/* best_mx_transport: 127.0.0.9 is us, so mail for it loops, unless another agent takes it. */

static char dir[] = "/tmp/postern-pass-XXXXXX";

/* An agent that delivers the first recipient and refuses the others. */
static void serve(int listener)
{
	int fd = accept(listener, NULL, NULL);
	struct deliver_request request;
	struct deliver_result result = {0};
	struct rcpt_result rcpts[8];
	struct str in = {0}, out = {0};
	struct arena arena = {0};
	struct frame frame;
	struct err err;

	if (frame_recv(fd, &in, 5000, &frame, NULL, &err) != 1 ||
	    frame_decode(&frame, &deliver_request_table, &request, &arena, &err) < 0)
		_exit(1);
	for (size_t i = 0; i < request.rcpts.count; i++) {
		const struct deliver_rcpt *r = (const struct deliver_rcpt *)request.rcpts.items + i;

		rcpts[i] = (struct rcpt_result){.index = r->index,
		    .outcome = i ? OUTCOME_BOUNCED : OUTCOME_SENT,
		    .dsn = i ? "5.1.1" : "2.0.0",
		    .reason = request.nexthop};
	}
	result.rcpts = (struct frame_list){rcpts, request.rcpts.count};
	frame_encode(&out, DELIVER_RESULT, frame.id, &deliver_result_table, &result);
	frame_send(fd, &out, -1, 5000, &err);
	_exit(0);
}

static pid_t start_agent(void)
{
	struct err err;
	int listener = net_listen_unix("private/local", SOCK_STREAM, 0600, 5, &err);
	pid_t pid;

	ck_assert_msg(listener >= 0, "%s", err.text);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	close(listener);
	return pid;
}

static void enter(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(chdir(dir) == 0 && mkdir("private", 0700) == 0);
	fixture_init();
}

static void leave(void)
{
	fixture_fini();
	unlink("private/local");
	ck_assert(rmdir("private") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
}

START_TEST(hands_over)
{
	pid_t pid = start_agent();

	fx.params.best_mx_transport = _i ? "local:elsewhere" : "local";
	fixture_start();
	fixture_deliver("[127.0.0.9]", 2, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_SENT);
	ck_assert_int_eq(fx.results[1].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[1].dsn, "5.1.1");
	ck_assert_str_eq(fx.results[1].reason, _i ? "elsewhere" : "[127.0.0.9]");
	ck_assert_int_eq(fx.settled, 0); /* the other agent logs and marks */
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(defers_without_agent)
{
	static const char *const transports[] = {"local", "../local", ":x"};

	fx.params.best_mx_transport = transports[_i];
	fixture_start();
	fixture_deliver("[127.0.0.9]", 2, 0, 0, "x\r\n", 3);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(fx.results[i].outcome, OUTCOME_DEFERRED);
		ck_assert_str_eq(fx.results[i].dsn, "4.3.0");
	}
}
END_TEST

START_TEST(bounces_without_transport)
{
	fx.params.fallback_relay = "[127.0.0.1]:1"; /* must not be tried: mail would loop */
	fixture_start();
	fixture_deliver("[127.0.0.9]", 1, 0, 0, "x\r\n", 3);
	ck_assert_int_eq(fx.results[0].outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(fx.results[0].dsn, "5.4.6");
	ck_assert_str_eq(fx.results[0].reason, "mail for 127.0.0.9 loops back to myself");
	ck_assert_str_eq(fx.relay, "none");
}
END_TEST

TCase *pass_tcase(void)
{
	TCase *tc = tcase_create("pass");

	tcase_add_checked_fixture(tc, enter, leave);
	tcase_add_loop_test(tc, hands_over, 0, 2);
	tcase_add_loop_test(tc, defers_without_agent, 0, 3);
	tcase_add_test(tc, bounces_without_transport);
	return tc;
}
