/* SPDX-License-Identifier: ISC */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

static const char defaults[] = "compatibility_level = 3.6\n"
                               "myhostname = mx.example.test\n"
                               "mydomain = example.test\n"
                               "myorigin = example.test\n"
                               "mail_name = Postern\n"
                               "mydestination = example.test, localhost\n"
                               "mynetworks = 127.0.0.0/8\n"
                               "relay_domains = relay.example\n"
                               "alias_maps =\n"
                               "local_recipient_maps = inline:{root=x, bob=x, postmaster=x}\n"
                               "smtpd_error_sleep_time = 0\n"
                               "smtpd_timeout = 20\n"
                               "message_size_limit = 20000\n"
                               "journal_lane_count = 2\n"
                               "journal_lane_size = 262144\n";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static bool fill(struct scratch *scratch)
{
	const struct {
		const struct conf_table *table;
		void *out;
	} parts[] = {
	    {&core_params, &scratch->core},
	    {&smtpd_params, &scratch->config.smtpd},
	    {&smtpd_tls_params, &scratch->config.tls},
	    {&smtpd_auth_params, &scratch->config.auth},
	    {&shape_params, &scratch->config.shape},
	    {&route_params, &scratch->config.route},
	    {&map_params, &scratch->config.map},
	    {&queue_params, &scratch->config.queue},
	};
	struct conf_report report = {0};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		conf_fill(scratch->conf, parts[i].table, parts[i].out, &report);
	if (report.problems)
		fprintf(stderr, "%s\n", str_text(&report.text));
	scratch->config.core = &scratch->core;
	conf_report_fini(&report);
	return report.problems == 0;
}

bool scratch_open(struct scratch *scratch, const char *settings)
{
	struct str text = {0};
	struct err err;

	memset(scratch, 0, sizeof(*scratch));
	snprintf(scratch->dir, sizeof(scratch->dir), "/tmp/postern-smtpd.XXXXXX");
	if (!getcwd(scratch->before, sizeof(scratch->before)) || !mkdtemp(scratch->dir) ||
	    chdir(scratch->dir) < 0) {
		perror(scratch->dir);
		return false;
	}
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	str_printf(&text, "%squeue_directory = %s\n%s", defaults, scratch->dir, settings);
	if (conf_load_text(
	        scratch->dir, "main.cf", str_text(&text), text.len, &scratch->conf, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	str_fini(&text);
	if (!fill(scratch))
		return false;
	scratch->server.generation = 1;
	if (server_init(&scratch->server, &scratch->config, scratch->conf, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	return true;
}

void scratch_close(struct scratch *scratch)
{
	server_fini(&scratch->server);
	conf_free(&scratch->conf);
	if (chdir(scratch->before) < 0)
		perror(scratch->before);
	nftw(scratch->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
