/* SPDX-License-Identifier: ISC */
/*
 * Parameters that no program has in its struct: the engine works with them, or somebody asks for
 * one by name. Here they get what a row gives: a check, a line in the manual page.
 */
#include "commands/postconf/postconf.h"

struct others {
	const char *text;
	int64_t size;
	struct conf_list list;
};

static const struct conf_param rows[] = {
    CONF_LIST(struct others, list, "alias_database", "hash:/etc/aliases",
        "The alias tables that newaliases makes."),
    CONF_LIST(struct others, list, "alternate_config_directories", "",
        "Other configuration folders that set-gid commands accept from anybody."),
    CONF_TEXT(struct others, text, "compatibility_level", "0",
        "Which generation of defaults is in force; defaults compare it by <level."),
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
