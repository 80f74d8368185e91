/* SPDX-License-Identifier: ISC */
/* tlsmgr(8): keeps TLS sessions and ticket keys for the other processes. */
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/secure/secure.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "tlsmgr/tlsmgr.h"

static struct secure_params params;
static struct tlsmgr manager = {.caches = {{.name = "smtp"}, {.name = "lmtp"}, {.name = "smtpd"}}};
static struct frame_server server;
static struct timer sweep;

enum { SWEEP_MS = 5000, STALL_MS = 10000, BEQUEATH_MS = 200, MAP_SIZE_MIN = 1 << 20 };

static void sweep_due(struct timer *timer)
{
	for (int i = 0; i < TLSMGR_CACHES; i++)
		sessions_sweep(&manager.caches[i], clock_wall_us() / 1000000);
	timer_start(server.loop, timer, SWEEP_MS);
}

static void open_caches(void *arg)
{
	const uint64_t *map_size = arg;

	for (int i = 0; i < TLSMGR_CACHES; i++)
		sessions_open(&manager.caches[i], params.sessions[i].database,
		    params.sessions[i].timeout, *map_size);
}

static void before_drop(struct service *service)
{
	const char *text = conf_get(service_conf(service), "lmdb_map_size");
	uint64_t map_size;

	if (!num_u64(text, strlen(text), INT64_MAX, &map_size) || map_size < MAP_SIZE_MIN)
		map_size = MAP_SIZE_MIN;
	service_as_owner(service, open_caches, &map_size);
}

static void init(struct service *service)
{
	const char *kernel;

	tls_kernel_available(&kernel);
	log_info("TLS: %s", kernel); /* once, for all processes */
	manager.tickets.lifetime_s = params.sessions[TLSMGR_SMTPD].timeout;
	server = (struct frame_server){.loop = service_loop(service),
	    .name = "private/tlsmgr",
	    .stall_ms = STALL_MS,
	    .take = tlsmgr_take_frame,
	    .arg = &manager};
	sweep.expired = sweep_due;
	timer_start(server.loop, &sweep, SWEEP_MS);
}

static void accepted(struct service *service, int fd)
{
	(void)service;
	frame_server_accept(&server, fd);
}

static void trigger(struct service *service, const char *bytes, size_t len)
{
	(void)service, (void)bytes, (void)len; /* a wake-up of master.cf: there is nothing to do */
}

/* After a reload the next tlsmgr goes on with what this one knows. */
static void bequeath(const struct service *service)
{
	struct tlsmgr_client *next = tlsmgr_client_new(service_name(service), BEQUEATH_MS);
	struct tlsmgr_ticket_key key;
	struct arena arena = {0};

	for (size_t i = 0; tickets_bequeath(&manager.tickets, i, clock_mono_ms(), &arena, &key);
	     i++)
		tlsmgr_inherit(next, &key);
	for (size_t i = 0; i < manager.chains.count; i++)
		tlsmgr_keep(next, manager.chains.items[i].name, manager.chains.items[i].text);
	tlsmgr_client_free(&next);
	arena_fini(&arena);
}

static void exiting(struct service *service)
{
	if (service_is_replaced(service))
		bequeath(service);
	for (int i = 0; i < TLSMGR_CACHES; i++)
		sessions_close(&manager.caches[i]);
	tickets_wipe(&manager.tickets);
	chains_wipe(&manager.chains);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&secure_params, NULL};
	static void *const structs[] = {&params};
	static const struct service_spec spec = {.program = "tlsmgr",
	    .tables = tables,
	    .params = structs,
	    .solitary = true,
	    .before_drop = before_drop,
	    .init = init,
	    .accepted = accepted,
	    .trigger = trigger,
	    .exiting = exiting};

	return service_run(&spec, argc, argv);
}
