/* SPDX-License-Identifier: ISC */
#include "lib/service/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/facility.h"
#include "lib/table/match.h"

static const char default_etc[] = "/etc/postfix";

void command_begin(struct command *c, const char *program)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			_exit(EX_OSERR);
	} while (fd <= STDERR_FILENO);
	close(fd);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a size limit is an error of write(2), not the end */
	log_set_tag(NULL, program);
	*c = (struct command){.program = program};
}

static bool has_set_id(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}

static bool lists_folder(struct conf *conf, const char *parameter, const char *etc)
{
	const char *text = conf_get(conf, parameter);
	size_t len = strlen(etc);

	for (const char *at = text + strspn(text, ", \t\n"); *at; at += strspn(at, ", \t\n")) {
		size_t item = strcspn(at, ", \t\n");

		if (item == len && strncmp(at, etc, len) == 0)
			return true;
		at += item;
	}
	return false;
}

/* Whoever names the configuration of a set-gid program chooses where it writes. */
static void check_folder(const char *etc)
{
	struct conf *conf;
	struct err err;

	if (getuid() == 0 || !has_set_id() || strcmp(etc, default_etc) == 0)
		return;
	if (conf_load(default_etc, &conf, &err) < 0)
		fatal_exit(EX_CONFIG, "%s", err.text);
	if (!lists_folder(conf, "alternate_config_directories", etc) &&
	    !lists_folder(conf, "multi_instance_directories", etc))
		fatal_exit(EX_NOPERM,
		    "unauthorized configuration directory %s: %s/main.cf does not list it in "
		    "alternate_config_directories",
		    etc, default_etc);
	conf_free(&conf);
}

static void clean_environment(const struct command *c)
{
	const struct conf_list *keep = &c->core.import_environment;
	char **values = alloc_zero(keep->count + 1, sizeof(*values));

	for (size_t i = 0; i < keep->count; i++) {
		const char *value = strchr(keep->items[i], '=') ? NULL : getenv(keep->items[i]);

		values[i] = value ? alloc_strdup(value) : NULL;
	}
	clearenv();
	for (size_t i = 0; i < keep->count; i++) {
		const char *equals = strchr(keep->items[i], '=');
		char *name;

		if (!equals && !values[i])
			continue;
		name = alloc_strndup(keep->items[i], strcspn(keep->items[i], "="));
		setenv(name, equals ? equals + 1 : values[i], 1);
		free(name);
		free(values[i]);
	}
	free(values);
	setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin", 1);
}

static void report_lines(struct conf_report *report)
{
	for (char *save = NULL, *line = strtok_r(report->text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		log_warn("%s", line);
}

void command_load(struct command *c, const struct conf_table *const *tables, void *const *params)
{
	const int bad_status = c->bad_conf_status ? c->bad_conf_status : EX_CONFIG;
	struct conf_report report = {0};
	const char *env = getenv("MAIL_CONFIG");
	struct err err;
	bool bad;

	if (!c->etc)
		c->etc = env && *env ? env : default_etc;
	c->etc = alloc_strdup(c->etc);
	check_folder(c->etc);
	if (conf_load(c->etc, &c->conf, &err) < 0)
		fatal_exit(bad_status, "%s", err.text);
	bad = conf_fill(c->conf, &core_params, &c->core, &report) < 0;
	for (size_t i = 0; tables && tables[i]; i++)
		bad |= conf_fill(c->conf, tables[i], params[i], &report) < 0;
	if (report.problems > 0)
		report_lines(&report);
	if (bad)
		fatal_exit(bad_status, "the configuration in %s cannot be used", c->etc);
	conf_report_fini(&report);
	if (has_set_id())
		clean_environment(c);
	setenv("MAIL_CONFIG", c->etc, 1);
}

void command_open_log(const struct command *c)
{
	const char *path = c->core.maillog_file;
	int fd;

	log_set_tag(c->core.syslog_name, c->program);
	log_set_host(c->core.myhostname);
	if (!path[0]) {
		log_open(LOG_TO_SYSLOG, -1, service_facility(c->core.syslog_facility));
	} else {
		/* /dev/stdout is master's; here it is where a command's answer goes */
		fd = strncmp(path, "/dev/", 5) == 0
		         ? -1
		         : open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			log_set_tag(NULL, c->program);
			return;
		}
		log_open(LOG_TO_FD, fd, 0);
	}
	log_echo(true);
}

void command_enter_queue(const struct command *c)
{
	if (chdir(c->core.queue_directory) < 0)
		fatal_exit(
		    EX_UNAVAILABLE, "chdir %s: %s", c->core.queue_directory, strerror(errno));
}

int command_mail_owner(const struct command *c, uid_t *uid_out, gid_t *gid_out)
{
	const struct passwd *owner = getpwnam(c->core.mail_owner);

	if (!owner)
		return -1;
	*uid_out = owner->pw_uid;
	*gid_out = owner->pw_gid;
	return 0;
}

bool command_is_admin(const struct command *c)
{
	uid_t uid;
	gid_t gid;

	return getuid() == 0 || (command_mail_owner(c, &uid, &gid) == 0 && getuid() == uid);
}

void command_become_owner(const struct command *c)
{
	uid_t uid;
	gid_t gid;

	umask(077);
	if (geteuid() != 0)
		return;
	if (command_mail_owner(c, &uid, &gid) < 0)
		fatal_exit(
		    EX_CONFIG, "parameter mail_owner: there is no user \"%s\"", c->core.mail_owner);
	if (initgroups(c->core.mail_owner, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
		fatal_exit(EX_OSERR, "become user %s: %s", c->core.mail_owner, strerror(errno));
}

bool command_user_listed(const char *parameter, const char *list, uid_t uid)
{
	const struct passwd *user;
	struct match_list *users;
	char number[32];
	struct err err;
	enum table_answer answer;

	if (uid == 0 || strcmp(list, "static:anyone") == 0)
		return true;
	user = getpwuid(uid);
	snprintf(number, sizeof(number), "uid:%lu", (unsigned long)uid);
	users = match_list_open(parameter, list, 0);
	answer = match_list_text(users, user ? user->pw_name : number, &err);
	if (answer == TABLE_ERROR)
		fatal_exit(EX_TEMPFAIL, "%s: %s", parameter, err.text);
	match_list_close(&users);
	return answer == TABLE_FOUND;
}
