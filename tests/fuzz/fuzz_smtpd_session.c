/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtpd */
/*
 * A whole SMTP session: the input is what the client sends, in pieces whose sizes come from its
 * first byte. Replies go nowhere. The queue is a scratch folder, made anew now and then.
 */
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "smtpd/smtpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUNS_PER_QUEUE = 300 };

static const char settings[] = "compatibility_level = 3.6\n"
                               "myhostname = mx.example.test\n"
                               "mydestination = example.test\n"
                               "mynetworks = 127.0.0.0/8\n"
                               "alias_maps =\n"
                               "local_recipient_maps = inline:{bob=x}\n"
                               "smtpd_error_sleep_time = 0\n"
                               "smtpd_hard_error_limit = 1000\n"
                               "smtpd_forbid_unauth_pipelining = no\n"
                               "smtpd_helo_restrictions = reject_invalid_helo_hostname\n"
                               "smtpd_sender_restrictions = warn_if_reject reject_non_fqdn_sender\n"
                               "smtpd_authorized_xclient_hosts = 0.0.0.0/0\n"
                               "smtpd_authorized_xforward_hosts = 0.0.0.0/0\n"
                               "smtpd_reject_footer = \\c; $client_address $localtime\\nhelp\n"
                               "smtpd_command_filter = inline:{ { PING = NOOP } }\n"
                               "smtpd_upstream_proxy_protocol = haproxy\n"
                               "smtpd_upstream_proxy_networks = 192.0.2.2\n"
                               "message_size_limit = 5000\n"
                               "journal_lane_count = 1\n"
                               "journal_lane_size = 65536\n";

static struct world {
	char dir[64], before[512];
	struct conf *conf;
	struct core_params core;
	struct smtpd_config config;
	struct smtpd server;
	int runs;
} world;

struct input {
	const uint8_t *data;
	size_t len, piece;
};

static long input_read(struct stream *s, void *buf, size_t len, short *wait_for)
{
	struct input *in = s->ops_state;
	size_t n = MIN(MIN(in->len, in->piece), len);

	(void)wait_for;
	memcpy(buf, in->data, n);
	in->data += n;
	in->len -= n;
	return (long)n;
}

static long output_drop(struct stream *s, const void *buf, size_t len, short *wait_for)
{
	(void)s;
	(void)buf;
	(void)wait_for;
	return (long)len;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void world_close(void)
{
	if (!world.conf)
		return;
	server_fini(&world.server);
	conf_free(&world.conf);
	nftw(world.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void world_open(void)
{
	struct conf_report report = {0};
	struct err err;

	memset(&world, 0, sizeof(world));
	snprintf(world.dir, sizeof(world.dir), "/tmp/postern-fuzz.XXXXXX");
	if (!getcwd(world.before, sizeof(world.before)) || !mkdtemp(world.dir) ||
	    chdir(world.dir) < 0)
		abort();
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	if (conf_load_text(world.dir, "main.cf", settings, strlen(settings), &world.conf, &err) < 0)
		abort();
	conf_fill(world.conf, &core_params, &world.core, &report);
	conf_fill(world.conf, &smtpd_params, &world.config.smtpd, &report);
	conf_fill(world.conf, &smtpd_tls_params, &world.config.tls, &report);
	conf_fill(world.conf, &smtpd_auth_params, &world.config.auth, &report);
	conf_fill(world.conf, &shape_params, &world.config.shape, &report);
	conf_fill(world.conf, &route_params, &world.config.route, &report);
	conf_fill(world.conf, &queue_params, &world.config.queue, &report);
	conf_report_fini(&report);
	world.config.core = &world.core;
	if (server_init(&world.server, &world.config, world.conf, &err) < 0 ||
	    chdir(world.before) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stream_ops ops = {.read = input_read, .write = output_drop};
	static bool first = true;
	struct input in = {data, size, 65536};
	struct session s;

	if (first) {
		log_open(LOG_TO_FD, -1, 0);
		atexit(world_close);
		first = false;
	}
	if (world.runs++ % RUNS_PER_QUEUE == 0) {
		world_close();
		world_open();
		world.runs = 1;
	}
	if (in.len > 0) {
		in.piece = in.data[0] < 128 ? 65536 : (size_t)in.data[0] - 127;
		in.data++;
		in.len--;
	}
	if (chdir(world.dir) < 0)
		abort();
	session_init(&s, &world.server, -1);
	s.stream.ops = &ops;
	s.stream.ops_state = &in;
	peer_set(&world.server, &s.arena, &s.peer, "client.example", "192.0.2.1", "1");
	session_run(&s);
	session_fini(&s);
	if (chdir(world.before) < 0)
		abort();
	return 0;
}
