/* SPDX-License-Identifier: ISC */
/* postqueue(1): lists the queue and asks for delivery attempts. */
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/postqueue/postqueue.h"
#include "lib/base/log.h"

static const struct conf_param rows[] = {
    CONF_TEXT(struct postqueue_params, authorized_mailq_users, "authorized_mailq_users",
        "static:anyone", "Users who may list the queue."),
    CONF_TEXT(struct postqueue_params, authorized_flush_users, "authorized_flush_users",
        "static:anyone", "Users who may ask for delivery of waiting mail."),
    CONF_TEXT(struct postqueue_params, flush_service_name, "flush_service_name", "flush",
        "The service that -i and -s ask: flush(8)."),
    CONF_SECS(struct postqueue_params, trigger_timeout, "trigger_timeout", "10s", 1, 0,
        "Time limit for waking another process."),
};
static const struct conf_table postqueue_table = {rows, ARRAY_LEN(rows)};

static const char usage[] = "usage: postqueue -f | postqueue -i queueid | postqueue -j | "
                            "postqueue -p | postqueue -s site | postqueue --scheduler | "
                            "postqueue --scheduler-json; with -f, -j or -p: "
                            "[--where expression]; with -j or -p: [--count]";

/* What can be asked for: one of these. A row is all that a further action needs. */
static const struct action {
	int letter;       /* 0: there is none */
	const char *name; /* as --name; NULL: there is none */
	bool takes_arg;
	bool lists; /* --where and --count go with it */
	int (*run)(struct postqueue *q, const char *arg);
} actions[] = {
    {'f', "flush", false, true, flush_all},
    {'i', NULL, true, false, flush_id},
    {'j', "json", false, true, list_json},
    {'p', NULL, false, true, list_text},
    {'s', NULL, true, false, flush_site},
    {0, "scheduler", false, false, scheduler_text},
    {0, "scheduler-json", false, false, scheduler_json},
};

/* What an action is modified by. */
static const struct option modifiers[] = {
    {.name = "where", .has_arg = required_argument, .val = 'W'},
    {.name = "count", .val = 'C'},
};

enum { LONG_ONLY = 256 };

struct command_line {
	char letters[2 * ARRAY_LEN(actions) + 16];
	struct option names[ARRAY_LEN(actions) + ARRAY_LEN(modifiers) + 1];
};

/* getopt's tables from ours. */
static void describe(struct command_line *line)
{
	struct str letters = {0};
	size_t count = 0;

	str_put_text(&letters, "+c:v");
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		const struct action *a = &actions[i];

		if (a->letter)
			str_put_char(&letters, (char)a->letter);
		if (a->letter && a->takes_arg)
			str_put_char(&letters, ':');
		if (a->name)
			line->names[count++] = (struct option){
			    .name = a->name, .has_arg = a->takes_arg, .val = LONG_ONLY + (int)i};
	}
	memcpy(line->names + count, modifiers, sizeof(modifiers));
	snprintf(line->letters, sizeof(line->letters), "%s", str_text(&letters));
	str_fini(&letters);
}

static const struct action *action_of(int ch)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (ch == LONG_ONLY + (int)i || (ch == actions[i].letter && ch))
			return &actions[i];
	}
	return NULL;
}

void postqueue_require(const char *parameter, const char *list, const char *what)
{
	const struct passwd *user = getpwuid(getuid());

	if (!command_user_listed(parameter, list, getuid()))
		fatal_exit(EX_NOPERM, "User %s(%ld) is not allowed to %s",
		    user ? user->pw_name : "unknown", (long)getuid(), what);
}

static struct where *parse_where(const char *text)
{
	struct err err;
	struct where *where = where_parse(text, &err);

	if (!where)
		fatal_exit(EX_USAGE, "--where: %s", err.text);
	return where;
}

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&postqueue_table, &queue_params, NULL};
	static struct command_line line;
	static struct postqueue q;
	void *params[] = {&q.params, &q.queue_params, NULL};
	const struct action *action = NULL;
	const char *arg = NULL;
	int verbose = 0, ch;

	command_begin(&q.command, "postqueue");
	describe(&line);
	while ((ch = getopt_long(argc, argv, line.letters, line.names, NULL)) > 0) {
		if (ch == 'c') {
			q.command.etc = optarg;
		} else if (ch == 'v') {
			verbose++;
		} else if (ch == 'W' && !q.where) {
			q.where = parse_where(optarg);
		} else if (ch == 'C') {
			q.count = true;
		} else if (action || !(action = action_of(ch))) {
			fatal_exit(EX_USAGE, "%s", usage);
		} else {
			arg = optarg;
		}
	}
	if (!action && (q.where || q.count))
		action = action_of('p');
	if (!action || argv[optind] || ((q.where || q.count) && !action->lists) ||
	    (q.count && action->letter == 'f'))
		fatal_exit(EX_USAGE, "%s", usage);
	log_set_verbose(getuid() == 0 ? verbose : 0);
	command_load(&q.command, tables, params);
	command_enter_queue(&q.command);
	return action->run(&q, arg);
}
