/* SPDX-License-Identifier: ISC */
#include "lib/table/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/table/match.h"
#include "lib/table/table.h"

enum { LINES_MAX = 20 };

/* What was logged meanwhile. The parameter's name is in the place, and need not be in the text. */
static void report_lines(
    struct str *said, const char *parameter, const char *place, struct conf_report *report)
{
	char *save = NULL, *text = said->len ? said->data : NULL;
	size_t len = parameter ? strlen(parameter) : 0, count = 0;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && count < LINES_MAX;
	     line = strtok_r(NULL, "\n", &save), count++) {
		if (len && strncmp(line, parameter, len) == 0 && strncmp(line + len, ": ", 2) == 0)
			line += len + 2;
		conf_report_warning(report, "%s: %s", place, line);
	}
	str_fini(said);
}

void table_check_list(const char *list, int flags, const char *place, struct conf_report *report)
{
	struct str said = {0}, *before = log_capture(&said);
	struct table_chain *chain;

	chain = table_chain_open(list, flags);
	table_chain_close(&chain);
	log_capture(before);
	report_lines(&said, NULL, place, report);
}

void match_list_check(const char *patterns, const char *place, struct conf_report *report)
{
	struct str said = {0}, *before = log_capture(&said);
	struct match_list *list;

	list = match_list_open("list", patterns, 0);
	match_list_close(&list);
	log_capture(before);
	report_lines(&said, "list", place, report);
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), len = strlen(suffix);

	return n >= len && strcmp(name + n - len, suffix) == 0;
}

enum table_use table_use_of(const char *parameter)
{
	static const struct {
		const char *suffix;
		enum table_use use;
	} uses[] = {
	    {"_maps", TABLE_USE_TABLES},
	    {"_checks", TABLE_USE_TABLES},
	    {"smtpd_command_filter", TABLE_USE_TABLES},
	    {"_reply_filter", TABLE_USE_TABLES},
	    {"_delivery_status_filter", TABLE_USE_TABLES},
	    {"relay_clientcerts", TABLE_USE_TABLES},
	    {"mynetworks", TABLE_USE_MATCH_LIST},
	    {"mydestination", TABLE_USE_MATCH_LIST},
	    {"_domains", TABLE_USE_MATCH_LIST},
	    {"_networks", TABLE_USE_MATCH_LIST},
	    {"_hosts", TABLE_USE_MATCH_LIST},
	    {"_verp_clients", TABLE_USE_MATCH_LIST},
	    {"_exceptions", TABLE_USE_MATCH_LIST},
	    {"_exclusions", TABLE_USE_MATCH_LIST},
	    {"_users", TABLE_USE_MATCH_LIST},
	    {"smtpd_forbidden_commands", TABLE_USE_MATCH_LIST},
	    {"smtpd_log_access_permit_actions", TABLE_USE_MATCH_LIST},
	};

	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (ends_in(parameter, uses[i].suffix))
			return uses[i].use;
	return TABLE_USE_NONE;
}
