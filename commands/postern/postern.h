/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTERN_POSTERN_H
#define COMMANDS_POSTERN_POSTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/conf/core.h"

/* What the files of the control command share: one instance, as its main.cf describes it. */
struct instance {
	const char *program; /* the name that was called: "postern" or "postfix" */
	const char *etc;     /* absolute */
	struct conf *conf;
	struct core_params core;
	char *pid_file;
	char *master; /* path of the program */
};

/* All exit with a message when they cannot do what they say. */
void instance_open(struct instance *in, const char *etc);
/* The process id of the running master, or 0. */
pid_t instance_master(const struct instance *in);
/* One line to standard error and to the instance's log, as Postfix's script does. */
void instance_say(const struct instance *in, const char *fmt, ...) PRINTF_LIKE(2, 3);
void instance_fail(const struct instance *in, const char *fmt, ...) PRINTF_LIKE(2, 3) NORETURN;

/* Where the programs are that belong to this executable; false: the configured defaults. */
bool install_find(char *commands_out, char *daemons_out, size_t size);

/* Sub-commands; the exit status. */
int command_init(const char *etc, int argc, char **argv);
int command_user(const char *etc, int argc, char **argv); /* argv[0] is "user" */
int command_limits(struct instance *in, int argc, char **argv);
int command_start(struct instance *in);
int command_start_fg(struct instance *in);
int command_stop(struct instance *in);
int command_abort(struct instance *in);
int command_reload(struct instance *in);
int command_flush(struct instance *in);
int command_status(struct instance *in);
int command_logrotate(struct instance *in);
int command_check(struct instance *in);
int command_set_permissions(struct instance *in);

/* Runs a program of ours and waits for it; its exit status, 1 when it was killed. */
int run_program(const char *path, char *const *argv, bool silence_stdout);

/* dirs.c: looks at all directories; the number of problems that are left, each told. */
enum dirs_mode { DIRS_LOOK, DIRS_CREATE /* what is missing */, DIRS_FIX /* permissions, too */ };
size_t dirs_check(const struct instance *in, enum dirs_mode mode);
/* The programs of ours that ordinary users run with setgid_group; as root only. */
void dirs_fix_commands(const struct instance *in);

#endif
