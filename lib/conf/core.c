/* SPDX-License-Identifier: ISC */
#include "lib/conf/core.h"

#include <string.h>

#include "lib/sys/fd.h"

/* A name, or "/file": the first line of that file, as Debian has it in /etc/mailname. */
static int parse_name_or_file(struct conf *conf, const struct conf_param *row UNUSED,
    const char *text, void *at, struct err *err)
{
	struct str content = {0};
	struct slice line;
	const char *nl;

	if (text[0] != '/') {
		*(const char **)at = arena_strdup(conf_arena(conf), text);
		return 0;
	}
	if (fd_read_file(text, 65536, &content, err) < 0) {
		str_fini(&content);
		return err_prefix(
		    err, "expected a name, or a file with the name in its first line: ");
	}
	nl = content.len ? memchr(content.data, '\n', content.len) : NULL;
	line = slice_trim(
	    slice_of(str_text(&content), nl ? (size_t)(nl - content.data) : content.len));
	if (line.len == 0 || memchr(line.data, '\0', line.len)) {
		str_fini(&content);
		return err_set(err, 0, "expected a name in the first line of this file");
	}
	*(const char **)at = arena_strndup(conf_arena(conf), line.data, line.len);
	str_fini(&content);
	return 0;
}

static const struct conf_kind kind_name_or_file = {"name",
    "a name, or the full path of a file with the name in its first line", parse_name_or_file};

static const struct conf_enum address_forms[] = {
    {"external", LOG_ADDRESSES_EXTERNAL}, {"internal", LOG_ADDRESSES_INTERNAL}, {NULL, 0}};

/* Their meaning is lib/post's. */
static const struct conf_enum notify_classes[] = {{"bounce", 0}, {"2bounce", 0}, {"data", 0},
    {"delay", 0}, {"policy", 0}, {"protocol", 0}, {"resource", 0}, {"software", 0}, {NULL, 0}};

#define P struct core_params

static const struct conf_param rows[] = {
    CONF_TEXT(P, myhostname, "myhostname", "",
        "The host's full name; by default the system's, completed with $mydomain."),
    CONF_TEXT(P, mydomain, "mydomain", "",
        "The domain of this host; by default $myhostname without its first part."),
    {"myorigin", &kind_name_or_file, CONF_AT(P, myorigin, const char *), "$myhostname", 0, 0, NULL,
        "The domain that is put to local addresses without one; /file: its first line."},
    CONF_TEXT(P, mail_name, "mail_name", "Postfix",
        "The name of the mail system in greetings, Received: headers and notices."),
    CONF_TEXT(P, syslog_name, "syslog_name",
        "${multi_instance_name?{$multi_instance_name}:{postfix}}",
        "What stands before the program name in log lines."),
    CONF_TEXT(P, queue_directory, "queue_directory", "/var/spool/postfix",
        "The spool: queue, sockets, pid files."),
    CONF_TEXT(P, data_directory, "data_directory", "/var/lib/postfix",
        "Where daemons keep caches and locks of their own."),
    CONF_TEXT(P, daemon_directory, "daemon_directory", "/usr/libexec/postern",
        "Where master finds the daemon programs."),
    CONF_TEXT(P, command_directory, "command_directory", "/usr/sbin", "Where the commands are."),
    CONF_TEXT(P, mail_owner, "mail_owner", "postfix",
        "The user that owns the queue and most daemon processes."),
    CONF_TEXT(P, setgid_group, "setgid_group", "postdrop",
        "The group of the set-gid commands and of the public sockets."),
    CONF_TEXT(P, default_privs, "default_privs", "nobody",
        "The user for deliveries to files and commands of root's aliases."),
    CONF_TEXT(P, maillog_file, "maillog_file", "", "The log file, or /dev/stdout; empty: syslog."),
    CONF_TEXT(P, syslog_facility, "syslog_facility", "mail", "The syslog facility of log lines."),
    CONF_LIST(P, maillog_file_prefixes, "maillog_file_prefixes", "/var, /dev/stdout",
        "Where maillog_file may be: path prefixes."),
    CONF_LIST(P, import_environment, "import_environment",
        "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE "
        "POSTLOG_HOSTNAME",
        "Environment variables that daemons keep, or get as name=value."),
    CONF_LIST(P, export_environment, "export_environment", "TZ MAIL_CONFIG LANG",
        "Environment variables that programs outside the mail system get."),
    CONF_TEXT(P, inet_interfaces, "inet_interfaces", "all",
        "Addresses on which to accept mail: all, loopback-only, or names and addresses."),
    CONF_TEXT(P, inet_protocols, "inet_protocols", "all", "Protocols in use: all, ipv4, ipv6."),
    CONF_TEXT(P, mydestination, "mydestination", "$myhostname, localhost.$mydomain, localhost",
        "Domains delivered by $local_transport: names, /files, tables."),
    CONF_TEXT(P, mynetworks, "mynetworks", "",
        "Clients that may relay: net/mask patterns, /files, tables; by default made by "
        "mynetworks_style."),
    CONF_TEXT(P, relay_domains, "relay_domains",
        "${{$compatibility_level} <level {2} ? {$mydestination} : {}}",
        "Domains for which mail is relayed from everywhere."),
    CONF_TEXT(P, recipient_delimiter, "recipient_delimiter", "",
        "Characters that may separate a user name from its extension."),
    CONF_SOME_TEXT(P, double_bounce_sender, "double_bounce_sender", "double-bounce",
        "The sender of notices that must not cause another notice."),
    CONF_TEXT(P, empty_address_recipient, "empty_address_recipient", "MAILER-DAEMON",
        "Who gets mail for the empty address."),
    CONF_WORDS(P, notify_classes, "notify_classes", "resource, software", notify_classes,
        "Of which kinds of trouble the postmaster is told."),
    CONF_TEXT(P, default_database_type, "default_database_type", "lmdb",
        "The table type when none is given, as by newaliases."),
    CONF_INT(P, default_process_limit, "default_process_limit", "100", 1, 0,
        "How many processes of one service may run, unless master.cf says."),
    CONF_SECS(P, max_idle, "max_idle", "100s", 1, 0,
        "How long an idle process waits for work before it ends."),
    CONF_INT(
        P, max_use, "max_use", "100", 1, 0, "How many requests a process serves before it ends."),
    CONF_SECS(P, ipc_timeout, "ipc_timeout", "3600s", 1, 0,
        "How long one step of a talk between two daemons may take."),
    CONF_SECS(P, daemon_timeout, "daemon_timeout", "18000s", 1, 0,
        "How long a daemon may take for one request before its watchdog ends it."),
    CONF_SECS(P, service_throttle_time, "service_throttle_time", "60s", 1, 0,
        "The pause before a service that keeps failing is started again."),
    CONF_INT(P, tcp_windowsize, "tcp_windowsize", "0", 0, 0,
        "Buffers of network sockets in bytes, below 65536 for routers that break window scaling; "
        "0: the system's."),
    CONF_SIZE(P, message_size_limit, "message_size_limit", "10240000", 0, 0,
        "The largest message in bytes, envelope included; 0: no limit."),
    CONF_SIZE(P, queue_minfree, "queue_minfree", "0", 0, 0,
        "Free bytes that the queue's file system must have to accept mail."),
    CONF_INT(P, line_length_limit, "line_length_limit", "2048", 512, 0,
        "Longer lines are read in pieces of this size."),
    CONF_BOOL(P, enable_long_queue_ids, "enable_long_queue_ids", "no",
        "Queue ids that are not used again (time, microseconds, inode)."),
    CONF_ENUM(P, log_addresses, "info_log_address_format", "external", address_forms,
        "Addresses in log lines: quoted where SMTP wants it (external) or as they are."),
    CONF_BOOL(P, soft_bounce, "soft_bounce", "no",
        "Answer 4xx instead of 5xx and keep mail that would be bounced."),
    CONF_BOOL(P, idna2003, "enable_idna2003_compatibility", "no",
        "Turn domain names in UTF-8 to ASCII by the rules of 2003."),
};

const struct conf_table core_params = {rows, sizeof(rows) / sizeof(rows[0])};
