/* SPDX-License-Identifier: ISC */
/* anvil(8): shared counters of clients and accounts. */
#include <stdlib.h>

#include "anvil/anvil.h"
#include "anvil/params.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

static struct anvil_params params;
static struct anvil_server server;
static struct timer report_timer, sweep_timer;
static char *accounts_path;

enum { SWEEP_MS = 60 * 1000, HOUR = 3600, DAY = 24 * HOUR, DESCRIPTORS = 2 * COUNTER_HOLDERS };

static void report_due(struct timer *timer)
{
	anvil_report(&server, params.rate_time_unit);
	timer_start(server.loop, timer, (int64_t)params.status_update_time * 1000);
}

static void sweep(void)
{
	int64_t now = clock_wall_us() / 1000000;
	size_t keys = shared_table_sweep(
	    &server.tables[ANVIL_CLIENTS], (uint64_t)(now - 2 * (int64_t)params.rate_time_unit));
	struct err err;

	if (keys > server.keys_max) {
		server.keys_max = keys;
		server.keys_max_when = now;
	}
	keys = shared_table_sweep(&server.tables[ANVIL_ACCOUNTS], (uint64_t)(now - 2 * DAY));
	if (keys > 0 &&
	    accounts_save(server.tables[ANVIL_ACCOUNTS].counters, accounts_path, &err) < 0)
		log_warn("counts of accounts will not outlive a restart: %s", err.text);
}

static void sweep_due(struct timer *timer)
{
	sweep();
	timer_start(server.loop, timer, SWEEP_MS);
}

static void before_drop(struct service *service)
{
	(void)service;
	fd_raise_limit(DESCRIPTORS);
}

static void init(struct service *service)
{
	struct err err;

	fd_raise_limit(DESCRIPTORS);
	server.loop = service_loop(service);
	if (shared_table_make(&server.tables[ANVIL_CLIENTS], "anvil clients",
	        (size_t)params.client_capacity, &err) < 0 ||
	    shared_table_make(&server.tables[ANVIL_ACCOUNTS], "anvil accounts",
	        (size_t)params.account_capacity, &err) < 0)
		fatal("%s", err.text);
	accounts_path = alloc_printf("%s/anvil_accounts", service_core(service)->data_directory);
	if (accounts_load(server.tables[ANVIL_ACCOUNTS].counters, accounts_path, &err) < 0)
		log_warn("counts of accounts begin anew: %s", err.text);
	report_timer.expired = report_due;
	timer_start(server.loop, &report_timer, (int64_t)params.status_update_time * 1000);
	sweep_timer.expired = sweep_due;
	timer_start(server.loop, &sweep_timer, SWEEP_MS);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	anvil_accept(&server, fd);
}

static void exiting(struct service *service)
{
	(void)service;
	sweep();
	anvil_report(&server, params.rate_time_unit);
	for (int i = 0; i < ANVIL_TABLES; i++)
		shared_table_free(&server.tables[i]);
	free(accounts_path);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&anvil_params, NULL};
	static void *const structs[] = {&params};
	static const struct service_spec spec = {.program = "anvil",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .before_drop = before_drop,
	    .init = init,
	    .accepted = accepted,
	    .exiting = exiting};

	return service_run(&spec, argc, argv);
}
