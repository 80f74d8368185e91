/* SPDX-License-Identifier: ISC */
/* fuzz-parts: shape */
/*
 * A message on its way in, with tables for its content and its addresses. The first byte is the
 * size of the pieces in which it comes, on which nothing may depend; the second turns things on and
 * off.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf/core.h"
#include "lib/shape/checks.h"
#include "lib/shape/shape.h"
#include "tests/fuzz/shape/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char main_cf[] =
    "compatibility_level = 3.6\nmyhostname = mx.example.test\nmydestination = example.test\n"
    "alias_maps =\nlocal_recipient_maps =\nheader_size_limit = 200\nmessage_size_limit = 8000\n"
    "header_checks = regexp:{{/^Subject: r/ REJECT} {/^Subject: d/ DISCARD x} {/^Subject: h/ HOLD}"
    " {/^Subject: p/ PREPEND X-P: $$0} {/^Subject: (.*)/ REPLACE X-S: $$1} {/^X-I/ IGNORE}"
    " {/^X-F/ FILTER smtp:x} {/^X-B/ BCC b@c.test} {/^X-R/ REDIRECT r@c.test} {/^X-W/ WARN}}\n"
    "body_checks = regexp:{{/^r/ REJECT 4.7.1 x} {/^d/ DISCARD} {/^i/ IGNORE} {/^p(.*)/ PREPEND "
    "$$1}"
    " {/^c(.*)/ REPLACE $$1 $$1} {/^w/ WARN} {/^s/ PASS}}\n"
    "body_checks_size_limit = 300\n"
    "canonical_maps = inline:{{a@x.test=b@y.test},{c=d@y.test},{@z.test=@y.test}}\n"
    "masquerade_domains = m.test\n"
    "virtual_alias_maps = inline:{{b@y.test=one@r.test two@r.test}}\n"
    "always_bcc = all@r.test\n"
    "message_strip_characters = \\001\n";

static struct core_params core;
static struct shape_params params;
static struct map_params maps;
static struct route_params routes;
static struct shape_context context;

static void load(void)
{
	static char dir[] = "/tmp/postern-fuzz-shape-XXXXXX";
	static struct conf *conf;
	struct conf_report report = {0};
	struct err err;
	char path[64];
	FILE *out;

	must(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/main.cf", dir);
	must((out = fopen(path, "w")) != NULL);
	fputs(main_cf, out);
	fclose(out);
	must(conf_load(dir, &conf, &err) == 0);
	unlink(path);
	rmdir(dir);
	must(conf_fill(conf, &core_params, &core, &report) == 0);
	must(conf_fill(conf, &shape_params, &params, &report) == 0);
	must(conf_fill(conf, &map_params, &maps, &report) == 0);
	must(conf_fill(conf, &route_params, &routes, &report) == 0);
	context.core = &core;
	context.params = &params;
	context.router = router_new(&core, &routes);
	context.mapper = mapper_open(&core, &maps, context.router);
	context.checks = shape_checks_open(&params);
	context.brought_by = "h[192.0.2.1]; from=<a> to=<b>";
	context.full_name = "";
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
}

static enum shape_result run(
    struct shape_context c, const char *data, size_t len, size_t piece, struct str *out)
{
	struct recipient rcpt = {
	    .address = "a@x.test", .orig = "", .orcpt = "", .transport = "", .nexthop = ""};
	struct envelope env = {
	    .id = "ID", .sender = "s@h.m.test", .sender_orig = "", .rcpts = &rcpt, .rcpt_count = 1};
	struct arena arena = {0};
	struct location loc;
	struct err err;
	struct shaper *s;
	enum shape_result result;
	uint64_t content_len;

	c.arena = &arena;
	s = shape_begin(&c, "ID", env.sender, "Received: from x\r\n");
	for (size_t at = 0; at < len; at += piece)
		shape_put(s, data + at, MIN(piece, len - at));
	result = shape_end(&s, &env, &loc, &content_len, &err);
	must(s == NULL);
	str_put(out, fuzz_written.data, fuzz_written.len);
	arena_fini(&arena);
	return result;
}

/* What is in the queue goes over the wire as it is: every line ends in CR LF. */
static void check_lines(const struct str *text)
{
	must(text->len >= 2 && memcmp(text->data + text->len - 2, "\r\n", 2) == 0);
	for (size_t i = 0; i < text->len; i++) {
		must(text->data[i] != '\n' || (i > 0 && text->data[i - 1] == '\r'));
		must(text->data[i] != '\r' || text->data[i + 1] == '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str one = {0}, other = {0};
	enum shape_result a, b;
	struct shape_context c;

	if (!context.core)
		load();
	if (size < 2)
		return 0;
	c = context;
	c.rewrite_headers = data[1] & 1;
	if (data[1] & 2)
		c.checks = NULL;
	if (data[1] & 4)
		c.mapper = NULL;
	if (data[1] & 8)
		c.mapping = MAP_BCC;
	a = run(c, (const char *)data + 2, size - 2, size, &one);
	b = run(c, (const char *)data + 2, size - 2, (size_t)data[0] + 1, &other);
	must(a == b);
	if (a == SHAPE_OK) {
		must(one.len == other.len && memcmp(one.data, other.data, one.len) == 0);
		check_lines(&one);
	}
	str_fini(&one);
	str_fini(&other);
	return 0;
}
