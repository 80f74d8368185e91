/* SPDX-License-Identifier: ISC */
/* scache(8): holds open connections for the smtp processes and hands them over. */
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "scache/params.h"
#include "scache/scache.h"

static struct scache_params params;
static struct cache cache;
static struct frame_server server;
static struct timer report;
static int64_t report_since_us;

enum { OTHER_DESCRIPTORS = 600 }; /* clients, and what the engine has */

static void report_due(struct timer *timer)
{
	cache_log_counts(&cache, report_since_us);
	report_since_us = clock_wall_us();
	timer_start(cache.loop, timer, (int64_t)params.status_update_time * 1000);
}

static void before_drop(struct service *service)
{
	(void)service;
	fd_raise_limit((size_t)params.session_limit + OTHER_DESCRIPTORS);
}

static void init(struct service *service)
{
	size_t room = fd_raise_limit((size_t)params.session_limit + OTHER_DESCRIPTORS);
	struct cache_limits limits = {
	    .ttl_ms = clock_ms_of(params.ttl_limit), .sessions = (size_t)params.session_limit};

	if (limits.sessions + OTHER_DESCRIPTORS > room)
		limits.sessions =
		    room > 2 * OTHER_DESCRIPTORS ? room - OTHER_DESCRIPTORS : room / 2;
	cache_init(&cache, service_loop(service), &limits);
	server = (struct frame_server){.loop = cache.loop,
	    .name = "private/scache",
	    .stall_ms = clock_ms_of(params.protocol_timeout),
	    .take = cache_take_frame,
	    .arg = &cache};
	report.expired = report_due;
	report_since_us = clock_wall_us();
	timer_start(cache.loop, &report, (int64_t)params.status_update_time * 1000);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	frame_server_accept(&server, fd);
}

static void exiting(struct service *service)
{
	(void)service;
	cache_log_counts(&cache, report_since_us);
	cache_fini(&cache);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&scache_params, NULL};
	static void *const structs[] = {&params};
	static const struct service_spec spec = {.program = "scache",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .before_drop = before_drop,
	    .init = init,
	    .accepted = accepted,
	    .exiting = exiting};

	return service_run(&spec, argc, argv);
}
