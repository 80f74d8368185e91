/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_CORE_H
#define LIB_CONF_CORE_H

#include "lib/conf/conf.h"

/* The parameters that every program needs: who we are, where things are, who owns them. */
enum log_addresses { LOG_ADDRESSES_EXTERNAL, LOG_ADDRESSES_INTERNAL };

struct core_params {
	const char *myhostname, *mydomain, *myorigin, *mail_name, *syslog_name;
	const char *queue_directory, *data_directory, *daemon_directory, *command_directory;
	const char *mail_owner, *setgid_group, *default_privs;
	const char *maillog_file;    /* "" : syslog */
	const char *syslog_facility; /* "mail" */
	struct conf_list maillog_file_prefixes;
	struct conf_list import_environment, export_environment;
	const char *inet_interfaces, *inet_protocols;
	const char *mydestination, *mynetworks,
	    *relay_domains; /* expanded texts; matched by lib/table */
	const char *recipient_delimiter;
	const char *double_bounce_sender, *empty_address_recipient, *notify_classes;
	const char *default_database_type;
	int default_process_limit;
	int max_idle, max_use;           /* seconds, requests */
	int ipc_timeout, daemon_timeout; /* seconds */
	int service_throttle_time;       /* seconds */
	int tcp_windowsize;              /* 0: the system's */
	int64_t message_size_limit;
	int64_t queue_minfree;
	int line_length_limit;
	bool enable_long_queue_ids;
	bool soft_bounce;
	int log_addresses; /* enum log_addresses: info_log_address_format */
	bool idna2003;     /* enable_idna2003_compatibility */
};

extern const struct conf_table core_params;

#endif
