/* SPDX-License-Identifier: ISC */
#ifndef LIB_SERVICE_COMMAND_H
#define LIB_SERVICE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/conf/conf.h"
#include "lib/conf/core.h"

/*
 * What the commands share at their start: where the configuration is (-c ETC, then MAIL_CONFIG,
 * then /etc/postfix), parameters, the log. All of these end the process with a clear line when
 * they cannot go on. A set-gid command takes another folder than /etc/postfix only from root, or
 * when /etc/postfix/main.cf lists it in alternate_config_directories or multi_instance_directories.
 */
struct command {
	const char *program;
	const char *etc;     /* of -c; NULL: not given */
	int bad_conf_status; /* exit status for a bad configuration; 0: EX_CONFIG */
	struct conf *conf;
	struct core_params core;
};

/* Descriptors 0 to 2 exist, SIGPIPE is ignored, messages go to standard error. Before getopt. */
void command_begin(struct command *c, const char *program);

/*
 * Reads the configuration, fills core and the tables (NULL-terminated; may be NULL), and sets
 * MAIL_CONFIG for children. A process with set-id privileges keeps only import_environment.
 */
void command_load(struct command *c, const struct conf_table *const *tables, void *const *params);

/*
 * Lines go to the mail log as well as to standard error. A log that this user may not write is no
 * error: standard error then is all.
 */
void command_open_log(const struct command *c);

void command_enter_queue(const struct command *c); /* chdir to queue_directory */

/* user and group of mail_owner; -1 when there is no such user. */
int command_mail_owner(const struct command *c, uid_t *uid_out, gid_t *gid_out);
/* Is the caller root or mail_owner? */
bool command_is_admin(const struct command *c);
/* Root becomes mail_owner, so that the files it makes belong to the daemons. Others: nothing. */
void command_become_owner(const struct command *c);

/* May the caller do what this list of users (authorized_..._users) is about? Root always may. */
bool command_user_listed(const char *parameter, const char *list, uid_t uid);

#endif
