/* SPDX-License-Identifier: ISC */
#include "local/params.h"

#include <string.h>

#include "lib/base/attr.h"

#define ST struct local_params
#define SAFE_CHARS "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const struct conf_param rows[] = {
    CONF_TEXT(ST, alias_maps, "alias_maps", "hash:/etc/aliases",
        "Tables of local aliases, asked before anything else."),
    CONF_TEXT(ST, home_mailbox, "home_mailbox", "",
        "Mailbox below the home directory; a final '/' makes it a Maildir."),
    CONF_TEXT(ST, mail_spool_directory, "mail_spool_directory", "/var/mail",
        "Folder of the users' mailboxes; a final '/' makes them Maildirs."),
    CONF_TEXT(ST, mailbox_command_maps, "mailbox_command_maps", "",
        "Tables of mailbox commands by user."),
    CONF_TEXT(ST, status_filter, "local_delivery_status_filter", "$default_delivery_status_filter",
        "Tables from delivery status and text to others."),
    CONF_RAW(ST, forward_path, "forward_path",
        "$home/.forward${recipient_delimiter}${extension}, $home/.forward",
        "Where a user's .forward file is looked for, in order."),
    CONF_RAW(ST, mailbox_command, "mailbox_command", "",
        "Command that stores mail in a user's mailbox, instead of local(8)."),
    CONF_RAW(ST, luser_relay, "luser_relay", "", "Where mail for unknown local users goes."),
    CONF_RAW(ST, command_execution_directory, "command_execution_directory", "",
        "Working directory of delivery commands."),
    CONF_RAW(ST, command_expansion_filter, "command_expansion_filter", SAFE_CHARS,
        "Characters allowed in what a message puts into a command's environment."),
    CONF_RAW(ST, forward_expansion_filter, "forward_expansion_filter", SAFE_CHARS,
        "Characters allowed in what a message puts into forward_path."),
    CONF_RAW(ST, execution_directory_expansion_filter, "execution_directory_expansion_filter",
        SAFE_CHARS, "Characters allowed in what a message puts into command_execution_directory."),
    CONF_TEXT(ST, local_command_shell, "local_command_shell", "",
        "Shell for delivery commands; empty: /bin/sh."),
    CONF_LIST(ST, allow_mail_to_commands, "allow_mail_to_commands", "alias, forward",
        "Where |command is allowed: alias, forward, include."),
    CONF_LIST(ST, allow_mail_to_files, "allow_mail_to_files", "alias, forward",
        "Where /file/name is allowed: alias, forward, include."),
    CONF_LIST(ST, prepend_delivered_header, "prepend_delivered_header", "command, file, forward",
        "Deliveries that get a Delivered-To: header."),
    CONF_LIST(ST, mailbox_delivery_lock, "mailbox_delivery_lock", "fcntl, dotlock",
        "How a mailbox file is locked: fcntl, flock, dotlock."),
    CONF_SIZE(ST, mailbox_size_limit, "mailbox_size_limit", "51200000", 0, 0,
        "Largest mailbox file or Maildir file, in bytes; 0: no limit."),
    CONF_SECS(ST, command_time_limit, "command_time_limit", "1000s", 1, 0,
        "How long a delivery command may take."),
    CONF_INT(ST, deliver_lock_attempts, "deliver_lock_attempts", "20", 1, 0,
        "How often a mailbox lock is tried."),
    CONF_SECS(ST, deliver_lock_delay, "deliver_lock_delay", "1s", 1, 0,
        "Pause between two attempts to lock a mailbox."),
    CONF_SECS(ST, stale_lock_time, "stale_lock_time", "500s", 1, 0,
        "Age at which a mailbox's lock file counts as left behind."),
    CONF_INT(ST, duplicate_filter_limit, "duplicate_filter_limit", "1000", 0, 0,
        "How many targets of one expansion are remembered to drop repeated ones; 0: all."),
    CONF_INT(ST, hopcount_limit, "hopcount_limit", "50", 1, 0,
        "Received: headers at which a message counts as looping."),
    CONF_BOOL(ST, biff, "biff", "yes", "Accepted; the biff service is not told of new mail."),
    CONF_BOOL(ST, expand_owner_alias, "expand_owner_alias", "no",
        "The sender of list mail is what owner-list expands to, not owner-list itself."),
    CONF_BOOL(ST, owner_request_special, "owner_request_special", "yes",
        "owner-list and list-request are whole names, whatever recipient_delimiter is."),
    CONF_BOOL(ST, require_home_directory, "require_home_directory", "no",
        "Mail waits while the user's home directory does not exist."),
    CONF_BOOL(ST, strict_mailbox_ownership, "strict_mailbox_ownership", "yes",
        "Mail waits when the mailbox file belongs to someone else."),
    CONF_BOOL(ST, enable_original_recipient, "enable_original_recipient", "yes",
        "X-Original-To: tells the recipient before aliases."),
};

const struct conf_table local_param_table = {rows, ARRAY_LEN(rows)};

bool local_list_has(const struct conf_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], word))
			return true;
	return false;
}
