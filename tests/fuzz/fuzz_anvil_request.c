/* SPDX-License-Identifier: ISC */
/* fuzz-links: anvil */
/* fuzz-parts: serve */
/* What processes ask of anvil(8). */
#include <stdlib.h>

#include "anvil/anvil.h"
#include "lib/base/log.h"
#include "tests/fuzz/serve/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct anvil_server server;

static void accept_member(void *arg, int fd)
{
	anvil_accept(arg, fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	if (!server.loop) {
		server.loop = loop_new();
		for (int i = 0; i < ANVIL_TABLES; i++)
			if (shared_table_make(&server.tables[i], "fuzz", 64, &err) < 0)
				abort();
	}
	serve_bytes(server.loop, accept_member, &server, data, size);
	must(server.processes == 0);
	for (int i = 0; i < ANVIL_TABLES; i++) {
		/* no slot is left taken */
		int holder = counters_take_holder(server.tables[i].counters);

		must(holder == 0);
		counters_release_holder(server.tables[i].counters, holder);
	}
	return 0;
}
