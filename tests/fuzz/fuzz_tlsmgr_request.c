/* SPDX-License-Identifier: ISC */
/* fuzz-links: tlsmgr */
/* fuzz-parts: serve */
/* What processes ask of tlsmgr(8), with a cache in a scratch file. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "tests/fuzz/serve/serve.h"
#include "tlsmgr/tlsmgr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tlsmgr manager = {.caches = {{.name = "smtp"}, {.name = "lmtp"}, {.name = "smtpd"}},
    .tickets = {.lifetime_s = 100}};
static char folder[] = "/tmp/postern-fuzz.XXXXXX";

static void done(void)
{
	sessions_close(&manager.caches[TLSMGR_SMTPD]);
	if (chdir(folder) == 0) {
		unlink("cache.lmdb");
		unlink("cache.lmdb-lock");
		if (chdir("/") == 0)
			rmdir(folder);
	}
}

static void open_cache(void)
{
	char name[64];

	if (!mkdtemp(folder))
		abort();
	snprintf(name, sizeof(name), "lmdb:%s/cache", folder);
	log_open(LOG_TO_FD, -1, 0);
	sessions_open(&manager.caches[TLSMGR_SMTPD], name, 100, 1 << 20);
	must(manager.caches[TLSMGR_SMTPD].store);
	atexit(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	struct frame_server server = {
	    .name = "tlsmgr", .stall_ms = 1000, .take = tlsmgr_take_frame, .arg = &manager};

	if (!loop) {
		loop = loop_new();
		open_cache();
	}
	server.loop = loop;
	serve_bytes(loop, serve_frames, &server, data, size);
	must(server.clients == 0);
	must(manager.chains.count <= CHAINS_KEPT_MAX && manager.tickets.count <= TICKET_KEYS_MAX);
	chains_wipe(&manager.chains);
	return 0;
}
