/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "lib/smtp/reply.h"

/* RFC 3463 for the exit codes of sysexits.h. Only EX_TEMPFAIL waits, as delivery programs expect.
 */
static const struct {
	int code;
	const char *dsn, *text;
} exits[] = {
    {EX_USAGE, "5.3.0", "command line usage error"},
    {EX_DATAERR, "5.6.0", "data format error"},
    {EX_NOINPUT, "5.3.0", "cannot open input"},
    {EX_NOUSER, "5.1.1", "user unknown"},
    {EX_NOHOST, "5.1.2", "host name unknown"},
    {EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    {EX_SOFTWARE, "5.3.0", "internal software error"},
    {EX_OSERR, "5.3.0", "system resource problem"},
    {EX_OSFILE, "5.3.0", "critical OS file missing"},
    {EX_CANTCREAT, "5.2.0", "can't create user output file"},
    {EX_IOERR, "5.3.0", "input/output error"},
    {EX_TEMPFAIL, "4.3.0", "temporary failure"},
    {EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    {EX_NOPERM, "5.7.0", "permission denied"},
    {EX_CONFIG, "5.3.5", "local configuration error"},
};

static void put_output(struct verdict *v, const char *output)
{
	size_t used = strlen(v->text);

	if (*output)
		snprintf(v->text + used, sizeof(v->text) - used, ". Command output: %s", output);
}

static void by_exit_code(int code, const char *command, const char *output, struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		if (exits[i].code != code)
			continue;
		verdict_set(v, exits[i].dsn[0] == '4' ? OUTCOME_DEFERRED : OUTCOME_BOUNCED,
		    exits[i].dsn, "%s", exits[i].text);
		snprintf(v->diag, sizeof(v->diag), "x-unix; %s", exits[i].text);
		put_output(v, output);
		return;
	}
	verdict_set(
	    v, OUTCOME_BOUNCED, "5.3.0", "Command died with status %d: \"%.200s\"", code, command);
	snprintf(v->diag, sizeof(v->diag), "x-unix; unknown mail system error");
	put_output(v, output);
}

void command_verdict(int wait_status, const char *command, const char *output, struct verdict *v)
{
	char dsn[12];
	const char *text;

	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
		verdict_set(v, OUTCOME_SENT, "2.0.0", "delivered to command: %.500s", command);
		return;
	}
	if (!WIFEXITED(wait_status)) {
		verdict_set(v, OUTCOME_BOUNCED, "5.3.0", "Command died with signal %d: \"%.200s\"",
		    WTERMSIG(wait_status), command);
		snprintf(v->diag, sizeof(v->diag), "x-unix; internal software error");
		put_output(v, output);
		return;
	}
	by_exit_code(WEXITSTATUS(wait_status), command, output, v);
	/* A command that fails and says "4.2.2 text" knows best. */
	text = smtp_dsn_split(output, dsn);
	if (dsn[0] == '4' || dsn[0] == '5') {
		while (*text == ' ')
			text++;
		verdict_set(v, dsn[0] == '4' ? OUTCOME_DEFERRED : OUTCOME_BOUNCED, dsn, "%s",
		    *text ? text : output);
	}
}
