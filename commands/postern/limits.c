/* SPDX-License-Identifier: ISC */
#include "commands/postern/postern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/peer/anvil.h"
#include "lib/sys/clock.h"

/*
 * postern limits [-j] [KEY ...]         what is counted of clients, logins and senders now
 * postern limits reset KEY ...          begins the counts of those keys anew
 * The tables are those of the running anvil(8), looked at directly.
 */
enum { HOUR = 3600, DAY = 24 * HOUR };

struct column {
	const char *name;
	int rate;
	uint32_t period; /* 0: anvil_rate_time_unit */
};

static const struct column client_columns[] = {
    {"connections", ANVIL_CONNECTIONS, 0},
    {"messages", ANVIL_MESSAGES, 0},
    {"recipients", ANVIL_RECIPIENTS, 0},
    {"new_tls", ANVIL_NEW_TLS, 0},
    {"auths", ANVIL_AUTHS, 0},
};

static const struct column account_columns[] = {
    {"messages_hour", ANVIL_MESSAGES_HOUR, HOUR},
    {"messages_day", ANVIL_MESSAGES_DAY, DAY},
    {"recipients_hour", ANVIL_RECIPIENTS_HOUR, HOUR},
    {"recipients_day", ANVIL_RECIPIENTS_DAY, DAY},
};

static const struct table {
	enum anvil_table which;
	const struct column *columns;
	size_t count;
} tables[] = {
    {ANVIL_CLIENTS, client_columns, ARRAY_LEN(client_columns)},
    {ANVIL_ACCOUNTS, account_columns, ARRAY_LEN(account_columns)},
};

struct view {
	bool json;
	uint32_t unit; /* anvil_rate_time_unit */
	uint64_t now;
};

static void show(const struct view *view, const struct table *table, const struct counter *c)
{
	struct str out = {0};
	uint32_t current = atomic_load(&c->current), sum = current;

	str_put_text(&out, view->json ? "{\"key\": " : "");
	if (view->json)
		json_put_text(&out, c->key);
	else
		str_printf(&out, "%-45s", c->key);
	if (view->json)
		str_printf(&out, ", \"current\": %u", current);
	else if (table->which == ANVIL_CLIENTS)
		str_printf(&out, " current=%u", current);
	for (size_t i = 0; i < table->count; i++) {
		const struct column *col = &table->columns[i];
		uint32_t n =
		    counter_value(c, col->rate, view->now, col->period ? col->period : view->unit);

		sum += n;
		str_printf(&out, view->json ? ", \"%s\": %u" : " %s=%u", col->name, n);
	}
	if (sum > 0)
		printf("%s%s\n", str_text(&out), view->json ? "}" : "");
	str_fini(&out);
}

static bool wanted(const char *key, char **keys, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return count == 0;
}

static int list(const struct view *view, struct counter_table *counters, const struct table *table,
    char **keys, int count)
{
	struct counter *c;
	size_t cursor = 0;

	while ((c = counters_next(counters, &cursor)))
		if (wanted(c->key, keys, count))
			show(view, table, c);
	return 0;
}

static int reset(struct counter_table *counters, char **keys, int count)
{
	struct counter *c;
	size_t cursor = 0;
	int found = 0;

	while ((c = counters_next(counters, &cursor))) {
		if (!wanted(c->key, keys, count))
			continue;
		counter_reset(c);
		printf("%s: reset\n", c->key);
		found++;
	}
	return found;
}

static uint32_t time_unit(const struct instance *in)
{
	struct settings {
		int unit;
	} settings = {60};
	static const struct conf_param row[] = {
	    CONF_SECS(struct settings, unit, "anvil_rate_time_unit", "60s", 1, 0, "")};
	static const struct conf_table table = {row, 1};
	struct conf_report report = {0};

	conf_fill(in->conf, &table, &settings, &report);
	conf_report_fini(&report);
	return (uint32_t)settings.unit;
}

/* As people write them: names in any case of letters, and whole. */
static void canonicalise(char **keys, int count)
{
	static const char *const kinds[] = {"login", "sender"};
	char key[COUNTER_KEY_SIZE];

	for (int i = 0; i < count; i++) {
		const char *colon = strchr(keys[i], ':');

		for (size_t k = 0; colon && k < ARRAY_LEN(kinds); k++) {
			if (!slice_eq_nocase(
			        slice_of(keys[i], (size_t)(colon - keys[i])), kinds[k]))
				continue;
			anvil_account_key(kinds[k], colon + 1, key);
			keys[i] = alloc_strdup(key); /* until the end of the process */
			break;
		}
	}
}

int command_limits(struct instance *in, int argc, char **argv)
{
	struct view view = {.unit = time_unit(in), .now = (uint64_t)clock_wall_us() / 1000000};
	bool do_reset = argc > 0 && strcmp(argv[0], "reset") == 0;
	int found = 0;

	if (argc > 0 && strcmp(argv[0], "-j") == 0)
		view.json = true;
	if (do_reset || view.json) {
		argc--;
		argv++;
	}
	if (argc > 0 && argv[0][0] == '-') {
		fprintf(stderr, "usage: postern limits [-j] [key ...]\n"
		                "       postern limits reset key ...\n");
		exit(EX_USAGE);
	}
	if (do_reset && argc == 0)
		fatal("limits reset: which? expected keys as \"postern limits\" lists them");
	canonicalise(argv, argc);
	if (chdir(in->core.queue_directory) < 0)
		fatal("%s: cannot enter: %m", in->core.queue_directory);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct anvil *anvil = anvil_new(tables[i].which);
		struct counter_table *counters = anvil_counters(anvil);

		if (!counters)
			fatal("anvil(8) does not answer: is the mail system running, and are "
			      "you root or its owner?");
		found += do_reset ? reset(counters, argv, argc)
		                  : list(&view, counters, &tables[i], argv, argc);
		anvil_free(&anvil);
	}
	if (do_reset && found == 0)
		fatal("limits reset: nothing is counted for %s", argv[0]);
	return 0;
}
