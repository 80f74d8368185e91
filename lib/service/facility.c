/* SPDX-License-Identifier: ISC */
#include "lib/service/facility.h"

#include <stddef.h>
#include <string.h>
#include <syslog.h>

#include "lib/base/attr.h"

int service_facility(const char *name)
{
	static const struct {
		const char *name;
		int value;
	} known[] = {
	    {"auth", LOG_AUTH},
	    {"authpriv", LOG_AUTHPRIV},
	    {"cron", LOG_CRON},
	    {"daemon", LOG_DAEMON},
	    {"ftp", LOG_FTP},
	    {"kern", LOG_KERN},
	    {"lpr", LOG_LPR},
	    {"mail", LOG_MAIL},
	    {"news", LOG_NEWS},
	    {"syslog", LOG_SYSLOG},
	    {"user", LOG_USER},
	    {"uucp", LOG_UUCP},
	    {"local0", LOG_LOCAL0},
	    {"local1", LOG_LOCAL1},
	    {"local2", LOG_LOCAL2},
	    {"local3", LOG_LOCAL3},
	    {"local4", LOG_LOCAL4},
	    {"local5", LOG_LOCAL5},
	    {"local6", LOG_LOCAL6},
	    {"local7", LOG_LOCAL7},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i].name, name) == 0)
			return known[i].value;
	}
	return LOG_MAIL;
}
