/* SPDX-License-Identifier: ISC */
/* postern init: a private mail system in one folder, ready to start, for anybody. */
#include "commands/postern/postern.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/str.h"
#include "lib/sys/fd.h"
#include "lib/sys/net.h"

enum { SETTINGS_MAX = 256, ARGUMENTS_MAX = 2 * SETTINGS_MAX + 8 };

struct plan {
	char dir[PATH_MAX];
	unsigned port;
	const char *settings[SETTINGS_MAX]; /* name=value */
	size_t setting_count;
	char owner[256], group[256], default_user[256], postmaster[256];
};

static NORETURN void usage(void)
{
	fprintf(stderr, "usage: postern init DIR [--smtp-port N] [--set name=value] ...\n");
	exit(1);
}

static unsigned port_of(const char *text)
{
	int port;

	if (!num_int(text, 0, 65535, &port))
		fatal("--smtp-port %s: expected a number up to 65535", text);
	return (unsigned)port;
}

static void parse(struct plan *plan, int argc, char **argv, const char **dir_out)
{
	static const struct option options[] = {{"smtp-port", required_argument, NULL, 'p'},
	    {"set", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	static char *shifted[ARGUMENTS_MAX], name[] = "postern init";
	int ch;

	/* getopt wants a program name before the arguments */
	if (argc > ARGUMENTS_MAX - 2)
		usage();
	shifted[0] = name;
	memcpy(shifted + 1, argv, (size_t)argc * sizeof(*argv));
	optind = 0;
	while ((ch = getopt_long(argc + 1, shifted, "", options, NULL)) > 0) {
		if (ch == 'p')
			plan->port = port_of(optarg);
		else if (ch == 's' && strchr(optarg, '=') && plan->setting_count < SETTINGS_MAX)
			plan->settings[plan->setting_count++] = optarg;
		else
			usage();
	}
	if (optind != argc)
		usage();
	*dir_out = shifted[optind];
}

static void make_dir(const char *base, const char *name, mode_t mode)
{
	char *path = *name ? alloc_printf("%s/%s", base, name) : alloc_strdup(base);

	if (mkdir(path, 0700) == 0) {
		if (chmod(path, mode) < 0)
			fatal("chmod %s: %s", path, strerror(errno));
	} else if (errno != EEXIST) {
		fatal("make directory %s: %s", path, strerror(errno));
	}
	free(path);
}

/*
 * Who owns what an alias of nobody in particular does (default_privs). As root this must be neither
 * root nor the owner of the queue, which on a host without a mail system is "nobody" already.
 */
static const char *default_user(const char *owner)
{
	static const char *const candidates[] = {"nobody", "daemon", "bin"};

	for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(candidates); i++)
		if (strcmp(candidates[i], owner) != 0 && getpwnam(candidates[i]))
			return candidates[i];
	return owner;
}

/* As root: whoever the system has for this. Else everything is the caller's. */
static void find_users(struct plan *plan)
{
	static const char *const candidates[] = {"postern", "postfix", "nobody"};
	static const char *const groups[] = {"postdrop", "nogroup", "nobody"};
	const struct passwd *user = NULL;
	const struct group *group = NULL;

	if (geteuid() != 0)
		user = getpwuid(geteuid());
	for (size_t i = 0; geteuid() == 0 && !user && i < ARRAY_LEN(candidates); i++)
		user = getpwnam(candidates[i]);
	if (!user)
		fatal("user id %d has no name in the user database", (int)geteuid());
	snprintf(plan->owner, sizeof(plan->owner), "%s", user->pw_name);
	snprintf(plan->default_user, sizeof(plan->default_user), "%s", default_user(plan->owner));
	snprintf(plan->postmaster, sizeof(plan->postmaster), "%s",
	    geteuid() == 0 ? "root" : user->pw_name);
	if (geteuid() != 0)
		group = getgrgid(getegid());
	for (size_t i = 0; geteuid() == 0 && !group && i < ARRAY_LEN(groups); i++)
		group = getgrnam(groups[i]);
	if (!group)
		fatal("group id %d has no name in the group database", (int)getegid());
	snprintf(plan->group, sizeof(plan->group), "%s", group->gr_name);
}

static unsigned free_port(void)
{
	struct net_addr addr;
	struct err err;
	unsigned port;
	int fd;

	net_addr_parse(&addr, "127.0.0.1", 0);
	fd = net_listen(&addr, 1, 0, &err);
	if (fd < 0 || !net_addr_from_fd(&addr, fd, false))
		fatal("find a free port: %s", err.text);
	port = net_addr_port(&addr);
	close(fd);
	return port;
}

static bool is_overridden(const struct plan *plan, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < plan->setting_count; i++) {
		if (strncmp(plan->settings[i], name, len) == 0 && plan->settings[i][len] == '=')
			return true;
	}
	return false;
}

static void put(struct str *out, const struct plan *plan, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static void put(struct str *out, const struct plan *plan, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (is_overridden(plan, name))
		return;
	str_printf(out, "%s = ", name);
	va_start(ap, fmt);
	str_vprintf(out, fmt, ap);
	va_end(ap);
	str_put_char(out, '\n');
}

static void write_main_cf(
    struct str *out, const struct plan *plan, const char *commands, const char *daemons)
{
	const char *dir = plan->dir;

	str_put_text(out, "# Made by \"postern init\": a private mail system. See postconf(5).\n");
	put(out, plan, "compatibility_level", "3.6");
	put(out, plan, "queue_directory", "%s/spool", dir);
	put(out, plan, "data_directory", "%s/data", dir);
	if (commands[0]) {
		put(out, plan, "command_directory", "%s", commands);
		put(out, plan, "daemon_directory", "%s", daemons);
	}
	put(out, plan, "maillog_file", "%s/log/mail.log", dir);
	put(out, plan, "maillog_file_prefixes", "%s/log, /dev/stdout", dir);
	put(out, plan, "mail_owner", "%s", plan->owner);
	put(out, plan, "setgid_group", "%s", plan->group);
	put(out, plan, "default_privs", "%s", plan->default_user);
	put(out, plan, "myhostname", "localhost.localdomain");
	put(out, plan, "myorigin", "$myhostname");
	put(out, plan, "mydestination", "$myhostname, localhost.$mydomain, localhost");
	put(out, plan, "mynetworks", "127.0.0.0/8 [::1]/128");
	put(out, plan, "inet_interfaces", "loopback-only");
	/* mail to postmaster must arrive somewhere: RFC 5321 section 4.5.1 */
	put(out, plan, "alias_maps", "inline:{ {postmaster = %s} }", plan->postmaster);
	put(out, plan, "alias_database", "%s", "");
	put(out, plan, "mail_spool_directory", "%s/mail/", dir);
	for (size_t i = 0; i < plan->setting_count; i++) {
		const char *equals = strchr(plan->settings[i], '=');

		str_printf(out, "%.*s = %s\n", (int)(equals - plan->settings[i]), plan->settings[i],
		    equals + 1);
	}
}

/* name, type, private, unpriv, chroot, wakeup, maxproc, command */
static const char *const entries[][8] = {
    {"pickup", "unix", "n", "-", "n", "60", "1", "pickup"},
    {"cleanup", "unix", "n", "-", "n", "-", "0", "cleanup"},
    {"qmgr", "unix", "n", "-", "n", "300", "1", "qmgr"},
    {"rewrite", "unix", "-", "-", "n", "-", "-", "trivial-rewrite"},
    {"bounce", "unix", "-", "-", "n", "-", "0", "bounce"},
    {"defer", "unix", "-", "-", "n", "-", "0", "bounce"},
    {"trace", "unix", "-", "-", "n", "-", "0", "bounce"},
    {"verify", "unix", "-", "-", "n", "-", "1", "verify"},
    {"flush", "unix", "n", "-", "n", "1000?", "0", "flush"},
    {"smtp", "unix", "-", "-", "n", "-", "-", "smtp"},
    {"relay", "unix", "-", "-", "n", "-", "-", "smtp"},
    {"showq", "unix", "n", "-", "n", "-", "-", "showq"},
    {"error", "unix", "-", "-", "n", "-", "-", "error"},
    {"retry", "unix", "-", "-", "n", "-", "-", "error"},
    {"discard", "unix", "-", "-", "n", "-", "-", "discard"},
    {"local", "unix", "-", "n", "n", "-", "-", "local"},
    {"virtual", "unix", "-", "n", "n", "-", "-", "virtual"},
    {"lmtp", "unix", "-", "-", "n", "-", "-", "lmtp"},
    {"anvil", "unix", "-", "-", "n", "-", "1", "anvil"},
    {"scache", "unix", "-", "-", "n", "-", "1", "scache"},
    {"tlsmgr", "unix", "-", "-", "n", "1000?", "1", "tlsmgr"},
    {"tlsproxy", "unix", "-", "-", "n", "-", "0", "tlsproxy"},
};

static bool has_program(const char *daemons, const char *name)
{
	char *path;
	bool found;

	if (!daemons[0] || strcmp(name, "cleanup") == 0 || strcmp(name, "trivial-rewrite") == 0)
		return true;
	path = alloc_printf("%s/%s", daemons, name);
	found = access(path, X_OK) == 0;
	free(path);
	return found;
}

static void write_master_cf(struct str *out, const struct plan *plan, const char *daemons)
{
	str_put_text(out,
	    "# Made by \"postern init\". See master.cf(5).\n"
	    "# service type  private unpriv  chroot  wakeup  maxproc command + args\n");
	str_printf(out, "127.0.0.1:%u inet n - n - - smtpd\n", plan->port);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const char *const *e = entries[i];

		if (has_program(daemons, e[7]))
			str_printf(out, "%-9s %-5s %-7s %-7s %-7s %-7s %-7s %s\n", e[0], e[1], e[2],
			    e[3], e[4], e[5], e[6], e[7]);
	}
}

static void save(const char *dir, const char *name, const struct str *text)
{
	char *path = alloc_printf("%s/etc/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, str_text(text), text->len) < 0 || close(fd) < 0)
		fatal("write %s: %s", path, strerror(errno));
	free(path);
}

static void make_folders(struct plan *plan, const char *dir)
{
	make_dir(dir, "", 0755);
	if (!realpath(dir, plan->dir))
		fatal("%s: %s", dir, strerror(errno));
	make_dir(plan->dir, "etc", 0755);
	make_dir(plan->dir, "spool", 0755);
	make_dir(plan->dir, "data", 0700);
	make_dir(plan->dir, "log", 0755);
	/* as root: local(8) makes each user's Maildir as that user */
	make_dir(plan->dir, "mail", geteuid() == 0 ? 01777 : 0700);
}

int command_init(const char *etc, int argc, char **argv)
{
	static struct plan plan;
	static struct instance instance;
	char commands[PATH_MAX] = "", daemons[PATH_MAX] = "", *path;
	struct str text = {0};
	const char *dir;

	(void)etc;
	umask(022);
	parse(&plan, argc, argv, &dir);
	find_users(&plan);
	make_folders(&plan, dir);
	path = alloc_printf("%s/etc", plan.dir);
	if (plan.port == 0)
		plan.port = free_port();
	install_find(commands, daemons, sizeof(commands));
	write_main_cf(&text, &plan, commands, daemons);
	save(plan.dir, "main.cf", &text);
	str_clear(&text);
	write_master_cf(&text, &plan, daemons);
	save(plan.dir, "master.cf", &text);
	str_fini(&text);
	instance_open(&instance, path);
	if (dirs_check(&instance, DIRS_FIX) > 0)
		exit(1);
	printf("%s: made; smtpd will be on 127.0.0.1:%u; start it with: postern -c %s start\n",
	    plan.dir, plan.port, path);
	free(path);
	return 0;
}
