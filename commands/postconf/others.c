/* SPDX-License-Identifier: ISC */
/*
 * Parameters that no program has in its struct: the engine works with them, or somebody asks for
 * one by name. Here they get what a row gives: a check, a line in the manual page.
 */
#include "commands/postconf/postconf.h"

struct others {
	const char *text;
	int number;
	int64_t size;
	struct conf_list list;
};

static const struct conf_param rows[] = {
    CONF_LIST(struct others, list, "alias_database", "hash:/etc/aliases",
        "The alias tables that newaliases makes."),
    CONF_LIST(struct others, list, "alternate_config_directories", "",
        "Other configuration folders that set-gid commands accept from anybody."),
    CONF_SECS(struct others, number, "application_event_drain_time", "100s", 1, 100000,
        "How long postkick(1) waits for a service to take its request."),
    CONF_TEXT(struct others, text, "authorized_flush_users", "static:anyone",
        "Users who may ask for delivery of waiting mail."),
    CONF_TEXT(struct others, text, "compatibility_level", "0",
        "Which generation of defaults is in force; defaults compare it by <level."),
    CONF_INT(struct others, number, "fork_attempts", "5", 1, 0,
        "How often postlock(1) tries to start a process."),
    CONF_SECS(struct others, number, "fork_delay", "1s", 1, 0,
        "Time between attempts of postlock(1) to start a process."),
    CONF_SIZE(struct others, size, "lmdb_map_size", "16777216", 8192, 0,
        "The size of an lmdb table's memory map when it is made."),
    CONF_LIST(struct others, list, "multi_instance_directories", "",
        "Configuration folders of further instances; set-gid commands accept them."),
    CONF_TEXT(struct others, text, "multi_instance_name", "",
        "The name of this instance, for syslog_name."),
    CONF_TEXT(struct others, text, "mynetworks_style",
        "${{$compatibility_level} <level {2} ? {subnet} : {host}}",
        "What mynetworks is by default: host, subnet or class of the host's own addresses."),
};

const struct conf_table other_params = {rows, ARRAY_LEN(rows)};
