/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <signal.h>
#include <string.h>

#include "fixture.h"
#include "lib/base/attr.h"

#define EXIT(n) ((n) << 8)

static const struct {
	int status;
	const char *output;
	enum outcome outcome;
	const char *dsn, *text;
} exits[] = {
    {EXIT(0), "", OUTCOME_SENT, "2.0.0", "delivered to command: cmd"},
    {EXIT(0), "5.1.1 chatter", OUTCOME_SENT, "2.0.0", "delivered to command: cmd"},
    {EXIT(67), "", OUTCOME_BOUNCED, "5.1.1", "user unknown"},
    {EXIT(67), "who?", OUTCOME_BOUNCED, "5.1.1", "user unknown. Command output: who?"},
    {EXIT(75), "", OUTCOME_DEFERRED, "4.3.0", "temporary failure"},
    {EXIT(77), "", OUTCOME_BOUNCED, "5.7.0", "permission denied"},
    {EXIT(73), "", OUTCOME_BOUNCED, "5.2.0", "can't create user output file"},
    {EXIT(1), "", OUTCOME_BOUNCED, "5.3.0", "Command died with status 1: \"cmd\""},
    {EXIT(127), "not found", OUTCOME_BOUNCED, "5.3.0",
        "Command died with status 127: \"cmd\". Command output: not found"},
    {EXIT(1), "4.2.2 mailbox full", OUTCOME_DEFERRED, "4.2.2", "mailbox full"},
    {EXIT(75), "5.7.1 go away", OUTCOME_BOUNCED, "5.7.1", "go away"},
    {SIGKILL, "", OUTCOME_BOUNCED, "5.3.0", "Command died with signal 9: \"cmd\""},
};

START_TEST(exit_status)
{
	struct verdict v;

	command_verdict(exits[_i].status, "cmd", exits[_i].output, &v);
	ck_assert_int_eq(v.outcome, exits[_i].outcome);
	ck_assert_str_eq(v.dsn, exits[_i].dsn);
	ck_assert_str_eq(v.text, exits[_i].text);
}
END_TEST

static const char mail[] = "Subject: x\r\n\r\nFrom here\r\nbye\r\n";

START_TEST(command_gets_the_message)
{
	struct fixture f;
	struct verdict v = {0};
	const char *text;

	fixture_open(&f, "recipient_delimiter = +\n", "Joe+Ext;x@example.com", mail);
	command_deliver(&f.d,
	    arena_printf(&f.arena, "cat > %s/out; env > %s/env", f.folder, f.folder), &f.user,
	    &f.user, &v);
	ck_assert_msg(v.outcome == OUTCOME_SENT, "%s", v.text);
	text = fixture_read(&f, "out");
	ck_assert_int_eq(strncmp(text, "From sender@example.net  ", 25), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nReturn-Path: <sender@example.net>\nX-Original-To: "));
	ck_assert_ptr_nonnull(strstr(text, "\nSubject: x\n\nFrom here\nbye\n"));
	text = fixture_read(&f, "env");
	ck_assert_ptr_nonnull(strstr(text, "LOCAL=Joe+Ext_x\n"));
	ck_assert_ptr_nonnull(strstr(text, "EXTENSION=ext_x\n"));
	ck_assert_ptr_nonnull(strstr(text, "SENDER=sender@example.net\n"));
	ck_assert_ptr_nonnull(strstr(text, "PATH=/usr/bin:/bin\n"));
	fixture_close(&f);
}
END_TEST

static const struct {
	const char *command;
	enum outcome outcome;
	const char *dsn, *text;
} commands[] = {
    {"exit 0", OUTCOME_SENT, "2.0.0", "delivered to command: exit 0"},
    {"echo no such person; exit 67", OUTCOME_BOUNCED, "5.1.1",
        "user unknown. Command output: no such person"},
    {"cat >/dev/null; exit 75", OUTCOME_DEFERRED, "4.3.0", "temporary failure"},
    {"kill -9 $$", OUTCOME_BOUNCED, "5.3.0", "Command died with signal 9: \"kill -9 $$\""},
    {"sleep 60", OUTCOME_BOUNCED, "5.3.0", "Command time limit exceeded: \"sleep 60\""},
    /* what stays behind does not hold us */
    {"sleep 2 & exit 0", OUTCOME_SENT, "2.0.0", "delivered to command: sleep 2 & exit 0"},
    {"exec <&-; echo 4.2.1 locked; exit 1", OUTCOME_DEFERRED, "4.2.1", "locked"},
};

START_TEST(run_command)
{
	struct str big = {0};
	struct fixture f;
	struct verdict v = {0};

	for (int i = 0; i < 20000; i++) /* more than a pipe holds */
		str_put_text(&big, "0123456789\r\n");
	fixture_open(&f, "command_time_limit = 1\n", "joe@example.com", str_text(&big));
	command_deliver(&f.d, commands[_i].command, &f.user, &f.user, &v);
	ck_assert_str_eq(v.text, commands[_i].text);
	ck_assert_int_eq(v.outcome, commands[_i].outcome);
	ck_assert_str_eq(v.dsn, commands[_i].dsn);
	fixture_close(&f);
	str_fini(&big);
}
END_TEST

TCase *command_tcase(void)
{
	TCase *tcase = tcase_create("command");

	tcase_add_loop_test(tcase, exit_status, 0, ARRAY_LEN(exits));
	tcase_add_test(tcase, command_gets_the_message);
	tcase_add_loop_test(tcase, run_command, 0, ARRAY_LEN(commands));
	tcase_set_timeout(tcase, 20);
	return tcase;
}
