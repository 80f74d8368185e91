/* SPDX-License-Identifier: ISC */
/* sendmail(1), mailq(1), newaliases(1): the old interface to the mail system. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/verp.h"

enum { ARGS_MAX = 256 };

static const struct conf_param rows[] = {
    CONF_TEXT(struct sendmail_params, default_verp, "default_verp_delimiters",
        "+=", "The two delimiters of VERP senders, list+user=domain, unless the sender says."),
    CONF_TEXT(struct sendmail_params, verp_filter, "verp_delimiter_filter", "-=+",
        "Characters that may be VERP delimiters."),
    CONF_INT(struct sendmail_params, recipient_limit, "smtpd_recipient_limit", "1000", 1, 1000000,
        "Recipients of one message by SMTP."),
    CONF_SECS(struct sendmail_params, timeout, "smtpd_timeout", "${stress?{10}:{300}}s", 1, 100000,
        "How long -bs waits for a command."),
    CONF_BOOL(struct sendmail_params, smtputf8_enable, "smtputf8_enable",
        "${{$compatibility_level} <level {1} ? {no} : {yes}}",
        "Addresses and headers may have other characters than ASCII."),
};
static const struct conf_table sendmail_table = {rows, ARRAY_LEN(rows)};

/* Another command of ours does the job. */
static int run_command(const struct sendmail *s, const char *name, const char *const *args)
{
	char *path = alloc_printf("%s/%s", s->command.core.command_directory, name);
	char *argv[ARGS_MAX + 2];
	size_t count = 0;

	argv[count++] = alloc_strdup(name);
	for (; *args && count <= ARGS_MAX; args++)
		argv[count++] = alloc_strdup(*args);
	argv[count] = NULL;
	execv(path, argv);
	fatal_exit(EX_OSFILE, "unable to execute %s: %s", path, strerror(errno));
}

static int run_newaliases(const struct sendmail *s)
{
	const char *const one[] = {s->alias_file, NULL};
	const char *args[ARGS_MAX + 1];
	size_t count = 0;
	char *list = alloc_strdup(conf_get(s->command.conf, "alias_database"));

	if (s->alias_file)
		return run_command(s, "postalias", one);
	for (char *save = NULL, *item = strtok_r(list, ", \t\r\n", &save); item && count < ARGS_MAX;
	     item = strtok_r(NULL, ", \t\r\n", &save))
		args[count++] = item;
	args[count] = NULL;
	return count > 0 ? run_command(s, "postalias", args) : 0;
}

/* Sendmail's address is a part of the sender's; ours is the whole, and "" the null sender. */
static int flush_sender(const struct sendmail *s)
{
	char *where = alloc_printf("queue=deferred and sender=\"%s\"", s->flush_sender);
	const char *const args[] = {"-f", "--where", where, NULL};

	return run_command(s, "postqueue", args);
}

static int run_flush(const struct sendmail *s)
{
	const char *const all[] = {"-f", NULL};
	const char *const site[] = {"-s", s->flush_site, NULL};
	const char *const id[] = {"-i", s->flush_id, NULL};

	if (s->flush_sender)
		return flush_sender(s);
	return run_command(s, "postqueue", s->flush_site ? site : s->flush_id ? id : all);
}

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&sendmail_table, NULL};
	const char *const list[] = {"-p", NULL};
	const char *const start[] = {"start", NULL};
	static struct sendmail s = {.mode = MODE_ENQUEUE};
	void *params[] = {&s.params};

	command_begin(&s.command, "sendmail");
	options_parse(&s, argc, argv);
	if (s.mode == MODE_NOTHING)
		return 0;
	command_load(&s.command, tables, params);
	if (s.mode == MODE_LIST)
		return run_command(&s, "postqueue", list);
	if (s.mode == MODE_FLUSH)
		return run_flush(&s);
	if (s.mode == MODE_NEWALIASES)
		return run_newaliases(&s);
	if (s.mode == MODE_DAEMON)
		return run_command(&s, "postern", start);
	if (s.verp && !*s.verp)
		s.verp = s.params.default_verp;
	if (s.verp && !verp_delimiters_valid(s.verp, s.params.verp_filter))
		fatal_exit(EX_USAGE, "-XV requires two characters of \"%s\", not \"%s\"",
		    s.params.verp_filter, s.verp);
	sender_find(&s);
	if (s.mode == MODE_SMTP)
		return smtp_run(&s);
	return enqueue_run(&s);
}
