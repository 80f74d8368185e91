/* SPDX-License-Identifier: ISC */
#include "tests/unit/smtp/fixture.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

struct fixture fx;

void fixture_init(void)
{
	memset(&fx, 0, sizeof(fx));
	fx.sender = "sender@example.org";
	fx.envid = fx.ret = fx.orig = fx.orcpt = fx.client_name = fx.client_addr = "";
	signal(SIGPIPE, SIG_IGN);
	fx.core = (struct core_params){.ipc_timeout = 5,
	    .myhostname = "client.test",
	    .inet_interfaces = "127.0.0.9",
	    .data_directory = "/nonexistent",
	    .inet_protocols = "ipv4"};
	fx.content = (struct smtp_content_params){.generic_maps = "",
	    .header_checks = "",
	    .mime_header_checks = "",
	    .nested_header_checks = "",
	    .body_checks = "",
	    .body_checks_size_limit = 51200,
	    .header_size_limit = 102400,
	    .mime_boundary_length_limit = 2048,
	    .mime_nesting_limit = 100,
	    .bdat = SMTP_BDAT_AUTO};
	fx.params = (struct smtp_params){.tcp_port = "25",
	    .cache_service_name = "",
	    .fallback_relay = "",
	    .best_mx_transport = "",
	    .cache_destinations = "",
	    .proxy_interfaces = "",
	    .bind_address = "",
	    .bind_address6 = "",
	    .host_lookup = DNS_HOST_DNS,
	    .dns_reply_filter = "",
	    .reply_filter = "",
	    .delivery_status_filter = "",
	    .discard_ehlo_keyword_address_maps = "",
	    .pix_workaround_maps = "",
	    .mx_address_limit = 5,
	    .mx_session_limit = 2,
	    .randomize_addresses = true,
	    .balance_inet_protocols = true,
	    .helo_name = "client.test",
	    .line_length_limit = 998,
	    .always_send_ehlo = true,
	    .skip_5xx_greeting = true,
	    .skip_quit_response = true,
	    .quote_envelope = true,
	    .enable_original_recipient = true,
	    .connect_timeout = 1,
	    .helo_timeout = 1,
	    .mail_timeout = 1,
	    .rcpt_timeout = 1,
	    .data_init_timeout = 1,
	    .data_xfer_timeout = 1,
	    .data_done_timeout = 1,
	    .rset_timeout = 1,
	    .quit_timeout = 1,
	    .min_data_rate = 500,
	    .cache_on_demand = true,
	    .cache_time_limit = 2,
	    .reuse_time_limit = 300};
}

void fixture_start(void)
{
	struct err err;

	fx.client.content = &fx.content;
	fx.client.generic = generic_open(&fx.content, &fx.core);
	fx.client.checks = rewrite_open_checks(&fx.content, false);
	ck_assert_msg(
	    smtp_client_init(&fx.client, &fx.core, &fx.params, &err) == 0, "%s", err.text);
}

void fixture_fini(void)
{
	smtp_client_fini(&fx.client);
	arena_fini(&fx.arena);
}

static uint32_t flags_of(const char *content, size_t len)
{
	uint32_t flags = 0;
	size_t line = 0;

	for (size_t i = 0; content && i < len; i++) {
		if (content[i] == '.' && line == 0)
			flags |= ENV_DOT_LINES;
		line = content[i] == '\n' ? 0 : line + 1;
		if (line > 999)
			flags |= ENV_LONG_LINES;
		if ((unsigned char)content[i] > 127)
			flags |= ENV_HIGH_BYTES;
	}
	return flags;
}

void fixture_deliver(const char *nexthop, size_t count, uint32_t flags, uint32_t env_flags,
    const char *content, size_t len)
{
	struct message m = {.fd = memfd_create("message", 0), .content_at = 7, .content_len = len};
	struct deliver_request request = {.id = "3F0ED1A2B3C",
	    .nexthop = nexthop,
	    .sender = fx.sender,
	    .env_flags = env_flags | flags_of(content, len),
	    .flags = flags,
	    .content_len = len,
	    .client_name = fx.client_name,
	    .client_addr = fx.client_addr,
	    .client_port = "4711",
	    .helo = "he lo",
	    .protocol = "ESMTP",
	    .envid = fx.envid,
	    .ret = fx.ret};
	struct agent_job job = {.request = &request,
	    .rcpts = fx.rcpts,
	    .rcpt_count = count,
	    .m = &m,
	    .results = fx.results,
	    .result = &fx.result,
	    .arena = &fx.arena,
	    .start_us = clock_wall_us()};
	static bool todo[FIXTURE_RCPTS];

	ck_assert(m.fd >= 0);
	if (content)
		ck_assert_int_eq(fd_pwrite_all(m.fd, content, len, 7), 0);
	else
		ck_assert_int_eq(ftruncate(m.fd, (off_t)(7 + len - fx.missing)), 0);
	memset(fx.results, 0, sizeof(fx.results));
	memset(&fx.result, 0, sizeof(fx.result));
	fx.settled = 0;
	fx.result.dead_dsn = fx.result.dead_reason = "";
	for (size_t i = 0; i < count; i++) {
		fx.rcpts[i] = (struct deliver_rcpt){.index = (uint32_t)i,
		    .orig = fx.orig,
		    .orcpt = fx.orcpt,
		    .notify = fx.notify,
		    .address = arena_printf(&fx.arena, "user%zu@example.test", i)};
		todo[i] = true;
	}
	job.todo = todo;
	delivery_run(&job, &fx.client);
	close(m.fd);
}

/* Linked instead of lib/agent's, which want a queue. */
static void settle(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta)
{
	ck_assert_uint_lt(i, job->rcpt_count);
	ck_assert_msg(job->results[i].outcome == 0, "recipient %zu was settled twice", i);
	job->results[i] = (struct rcpt_result){.index = (uint32_t)i,
	    .outcome = outcome,
	    .dsn = arena_strdup(&fx.arena, dsn),
	    .reason = arena_strdup(&fx.arena, reason),
	    .diag = arena_strdup(&fx.arena, diag),
	    .mta = arena_strdup(&fx.arena, mta)};
	snprintf(fx.relay, sizeof(fx.relay), "%s", relay);
	fx.settled++;
}

void agent_sent_as(struct agent_job *job, size_t i, const char *relay,
    const struct agent_success *success, int64_t conn_us, int64_t sent_us)
{
	ck_assert(conn_us > 0 && sent_us >= conn_us);
	settle(job, i, OUTCOME_SENT, relay, success->dsn, success->reason, "", "");
	fx.next_tells = success->next_tells;
	ck_assert_str_eq(success->action, fx.params.assume_final ? "delivered" : "relayed");
	ck_assert_ptr_nonnull(strstr(success->diag, success->reason));
}

bool agent_only_verifies(const struct agent_job *job)
{
	return job->request->env_flags & ENV_VERIFY;
}

void agent_failed(struct agent_job *job, size_t i, enum outcome outcome, const char *relay,
    const char *dsn, const char *reason, const char *diag, const char *mta, int64_t conn_us,
    int64_t sent_us)
{
	ck_assert(conn_us > 0 && (sent_us == 0 || sent_us >= conn_us));
	settle(job, i, outcome, relay, dsn, reason, diag, mta);
}
