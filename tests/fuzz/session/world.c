/* SPDX-License-Identifier: ISC */
/* The servers, one for each text of profiles.c, each with a folder and a queue of its own. */
#include "tests/fuzz/session/world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/peer/anvil.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"
#include "smtpd/tls_engine.h"
#include "tests/fuzz/session/disk.h"
#include "tests/fuzz/session/play.h"

enum { RUNS_PER_QUEUE = 300 };

static struct world {
	char dir[64];
	struct conf *conf;
	struct core_params core;
	struct secure_params secure;
	struct smtpd_config config;
	struct smtpd server;
	int runs;
	bool open, changed; /* what its server has read, since then */
} * worlds, *present;

static char before[512];

size_t world_profiles(void)
{
	return world_text_count;
}

static bool has_service(const struct world *w)
{
	return w - worlds >= WORLD_WITH_SERVICE;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void close_server(struct world *w)
{
	server_fini(&w->server);
	server_tls_close(&w->server.tls);
	w->server = (struct smtpd){0};
}

static void close_world(struct world *w)
{
	if (!w->open)
		return;
	close_server(w);
	conf_free(&w->conf);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	w->open = false;
}

static void close_all(void)
{
	for (size_t i = 0; i < world_text_count; i++)
		close_world(&worlds[i]);
	free(worlds);
}

static void make_folder(struct world *w)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(w->dir, sizeof(w->dir), "%s/postern-fuzz.XXXXXX", base);
	if (!mkdtemp(w->dir) || chdir(w->dir) < 0)
		abort();
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	files_make();
}

static void fill(struct world *w)
{
	const struct {
		const struct conf_table *table;
		void *out;
	} parts[] = {
	    {&core_params, &w->core},
	    {&smtpd_params, &w->config.smtpd},
	    {&smtpd_tls_params, &w->config.tls},
	    {&smtpd_auth_params, &w->config.auth},
	    {&secure_params, &w->secure},
	    {&shape_params, &w->config.shape},
	    {&map_params, &w->config.map},
	    {&route_params, &w->config.route},
	    {&queue_params, &w->config.queue},
	};
	struct conf_report report = {0};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		conf_fill(w->conf, parts[i].table, parts[i].out, &report);
	if (report.problems) {
		fprintf(stderr, "%s\n", str_text(&report.text));
		abort();
	}
	conf_report_fini(&report);
	w->config.core = &w->core;
}

static void open_server(struct world *w)
{
	struct err err;

	w->server.service = has_service(w) ? engine_of(w->conf) : NULL;
	w->server.tls = server_tls_open(&w->config.tls, &w->secure, &w->core, w->server.service);
	w->server.tls_level = server_tls_level(w->server.tls);
	w->server.generation = 1;
	if (server_init(&w->server, &w->config, w->conf, &err) < 0)
		abort();
	if (!has_service(w) && w->config.smtpd.client_message_rate_limit > 0) {
		w->server.clients = anvil_new(ANVIL_CLIENTS);
		w->server.accounts = anvil_new(ANVIL_ACCOUNTS);
	}
}

static void open_world(struct world *w)
{
	struct str text = {0};
	struct err err;

	memset(w, 0, sizeof(*w));
	make_folder(w);
	str_printf(
	    &text, "%squeue_directory = %s\n%s", world_common, w->dir, world_texts[w - worlds]);
	if (conf_load_text(w->dir, "main.cf", str_text(&text), text.len, &w->conf, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	str_fini(&text);
	fill(w);
	open_server(w);
	w->open = true;
}

struct smtpd *world_enter(unsigned profile)
{
	struct world *w;

	if (!worlds) {
		worlds = alloc_zero(world_text_count, sizeof(*worlds));
		if (!getcwd(before, sizeof(before)))
			abort();
		atexit(close_all);
	}
	present = w = &worlds[profile];
	if (w->runs++ % RUNS_PER_QUEUE == 0) {
		close_world(w);
		open_world(w);
		w->runs = 1;
	} else if (chdir(w->dir) < 0) {
		abort();
	}
	if (w->changed) {
		close_server(w);
		files_make();
		open_server(w);
		w->changed = false;
	}
	if (has_service(w))
		engine_of(w->conf);
	return &w->server;
}

/* As master does it: the next process takes over. */
struct smtpd *world_next_process(void)
{
	struct world *w = present;

	if (has_service(w) && (engine_is_retired() || server_age(&w->server) == TABLE_OUTDATED)) {
		close_server(w);
		open_server(w);
	}
	return &w->server;
}

void world_event(char what, unsigned char how)
{
	struct world *w = present;
	struct session *s = &play.session;

	switch (what) {
	case EVENT_CERTIFICATE:
		files_change_certificate(how);
		break;
	case EVENT_TABLE:
		files_change_table(how);
		break;
	case EVENT_STRESS:
		engine_stress(how & 1);
		if (how & 2 && has_service(w))
			service_retire(w->server.service);
		return;
	case EVENT_OTHERS: /* clients with its address do what is counted */
		if (s->client_counter)
			counter_add(s->client_table, s->client_counter, how % COUNTER_RATES,
			    how >> 4, (uint64_t)clock_wall_us() / 1000000,
			    (uint32_t)w->config.smtpd.anvil_rate_time_unit);
		break;
	case EVENT_DISK:
		disk_fault(how);
		return;
	default:
		return;
	}
	w->changed = true; /* nobody else is to find it like this */
}

void world_leave(void)
{
	if (chdir(before) < 0)
		abort();
}
