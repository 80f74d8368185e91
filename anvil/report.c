/* SPDX-License-Identifier: ISC */
#include "anvil/anvil.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"

static void date_text(uint64_t when, char *out, size_t size)
{
	time_t seconds = (time_t)when;
	struct tm tm;

	*out = '\0';
	if (localtime_r(&seconds, &tm))
		strftime(out, size, "%b %e %H:%M:%S", &tm);
}

/* The words are those that log summaries look for. */
static const struct {
	int which;
	const char *name;
	bool is_rate;
} lines[] = {
    {ANVIL_CONNECTIONS, "connection rate", true},
    {COUNTER_RATES, "connection count", false},
    {ANVIL_MESSAGES, "message rate", true},
    {ANVIL_RECIPIENTS, "recipient rate", true},
    {ANVIL_NEW_TLS, "newtls rate", true},
    {ANVIL_AUTHS, "auth rate", true},
};

void anvil_report(struct anvil_server *server, int rate_time_unit)
{
	struct counter_table *t = server->tables[ANVIL_CLIENTS].counters;
	char key[COUNTER_KEY_SIZE], date[32], per[16] = "";
	uint64_t when;
	uint32_t value;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (!counters_peak(t, lines[i].which, &value, &when, key))
			continue;
		date_text(when, date, sizeof(date));
		if (lines[i].is_rate)
			snprintf(per, sizeof(per), "/%ds", rate_time_unit);
		else
			*per = '\0';
		log_info(
		    "statistics: max %s %u%s for (%s) at %s", lines[i].name, value, per, key, date);
	}
	counters_reset_peaks(t);
	if (server->keys_max > 0) {
		date_text((uint64_t)server->keys_max_when, date, sizeof(date));
		log_info("statistics: max cache size %zu at %s", server->keys_max, date);
	}
	server->keys_max = 0;
}
