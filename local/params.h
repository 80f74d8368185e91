/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_PARAMS_H
#define LOCAL_PARAMS_H

#include "lib/conf/conf.h"

struct local_params {
	const char *alias_maps;
	const char *home_mailbox, *mail_spool_directory;
	const char *mailbox_command_maps, *status_filter;
	/* Expanded per delivery with $user, $home and so on, hence raw here. */
	const char *forward_path, *mailbox_command, *luser_relay, *command_execution_directory;
	const char *command_expansion_filter, *forward_expansion_filter;
	const char *execution_directory_expansion_filter;
	const char *local_command_shell;
	struct conf_list allow_mail_to_commands, allow_mail_to_files;
	struct conf_list prepend_delivered_header;
	struct conf_list mailbox_delivery_lock;
	int64_t mailbox_size_limit;
	int command_time_limit;
	int deliver_lock_attempts, deliver_lock_delay, stale_lock_time;
	int duplicate_filter_limit;
	int hopcount_limit;
	bool biff;
	bool expand_owner_alias, owner_request_special;
	bool require_home_directory;
	bool strict_mailbox_ownership;
	bool enable_original_recipient;
};
extern const struct conf_table local_param_table;

/* Is `word` among the items of the list? Case counts. */
bool local_list_has(const struct conf_list *list, const char *word);

#endif
