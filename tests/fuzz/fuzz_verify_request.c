/* SPDX-License-Identifier: ISC */
/* fuzz-links: verify */
/* fuzz-parts: serve */
/* What processes ask of verify(8) and tell it, with addresses remembered in memory. */
#include "lib/base/log.h"
#include "tests/fuzz/serve/serve.h"
#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool send_no_probe(struct verifier *v, const char *address, struct err *err)
{
	(void)v;
	return address[0] != 'x' || err_set(err, 0, "no probe for %s", address) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	struct verify_params params = {.map = "",
	    .negative_cache = true,
	    .positive_expire = 100,
	    .positive_refresh = 50,
	    .negative_expire = 100,
	    .negative_refresh = 50,
	    .pending_limit = 3};
	struct verifier v = {.params = &params, .probe = send_no_probe};
	struct frame_server server = {
	    .name = "verify", .stall_ms = 1000, .take = verifier_take_frame, .arg = &v};

	if (!loop)
		loop = loop_new();
	server.loop = loop;
	cache_open(&v);
	serve_bytes(loop, serve_frames, &server, data, size);
	must(server.clients == 0);
	must(map_count(v.pending) <= 3);
	cache_close(&v);
	return 0;
}
