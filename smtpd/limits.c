/* SPDX-License-Identifier: ISC */
#include "smtpd/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/sys/clock.h"

void limits_open(struct smtpd *srv)
{
	const struct smtpd_params *p = &srv->config->smtpd;

	srv->limit_exceptions = match_list_open(
	    "smtpd_client_event_limit_exceptions", p->client_event_limit_exceptions, 0);
	srv->login_limits = table_chain_open(p->login_limit_maps, TABLE_FOLD_KEY);
	srv->sender_limits = table_chain_open(p->sender_limit_maps, TABLE_FOLD_KEY);
	if (!srv->service)
		return; /* tests set what they need */
	srv->clients = anvil_new(ANVIL_CLIENTS);
	srv->accounts = anvil_new(ANVIL_ACCOUNTS);
}

void limits_close(struct smtpd *srv)
{
	match_list_close(&srv->limit_exceptions);
	table_chain_close(&srv->login_limits);
	table_chain_close(&srv->sender_limits);
	anvil_free(&srv->clients);
	anvil_free(&srv->accounts);
}

enum { CLIENT_KEY_SIZE = 256 };

/*
 * The service, and the address or the network that stands for it, as anvil's statistics name it.
 * The whole of a long one counts: services of one IPv6 address differ in the port alone, at the
 * end.
 */
static void client_key(const struct session *s, char *out)
{
	bool v6 = net_addr_is_v6(&s->peer.address);
	int bits = v6 ? s->params->client_ipv6_prefix : s->params->client_ipv4_prefix;
	int all = v6 ? 128 : 32;
	const char *service = s->srv->service ? service_name(s->srv->service) : "smtp";
	unsigned char raw[16];
	char text[INET6_ADDRSTRLEN];

	if (bits >= all || inet_pton(v6 ? AF_INET6 : AF_INET, s->peer.addr, raw) != 1) {
		snprintf(out, CLIENT_KEY_SIZE, "%.190s:%.46s", service, s->peer.addr);
		return;
	}
	for (int bit = bits; bit < all; bit++)
		raw[bit / 8] &= (unsigned char)~(0x80 >> bit % 8);
	inet_ntop(v6 ? AF_INET6 : AF_INET, raw, text, sizeof(text));
	snprintf(out, CLIENT_KEY_SIZE, "%.190s:%.45s/%u", service, text, (unsigned)bits & 127);
}

static bool is_exempt(struct session *s)
{
	struct err err;
	enum table_answer answer =
	    match_list_host(s->srv->limit_exceptions, s->peer.name, s->peer.addr, &err);

	if (answer == TABLE_ERROR)
		log_warn("%s", err.text);
	return answer == TABLE_FOUND;
}

/* What is counted of a client, and what is said when it is too much. */
static const struct {
	enum anvil_rate rate;
	const char *log, *reply;
	bool ends; /* the session, with 421 */
} events[] = {
    {ANVIL_CONNECTIONS, "Connection rate", "too many connections", true},
    {ANVIL_MESSAGES, "Message delivery request rate", "too much mail", false},
    {ANVIL_RECIPIENTS, "Recipient address rate", "too many recipients", false},
    {ANVIL_NEW_TLS, "New TLS session rate", "too many new TLS sessions", true},
    {ANVIL_AUTHS, "AUTH command rate", "too many AUTH commands", false},
};

static bool refuse(
    struct session *s, const char *what, uint32_t count, const char *reply, bool ends)
{
	const struct core_params *core = s->srv->config->core;

	log_warn("%s limit exceeded: %u from %s for service %s", what, count, s->peer.namaddr,
	    s->srv->service ? service_name(s->srv->service) : "smtp");
	str_clear(&s->reject);
	if (ends)
		str_printf(&s->reject, "421 4.7.0 %s Error: %s from %s", core->myhostname, reply,
		    s->peer.addr);
	else
		str_printf(&s->reject, "450 4.7.1 Error: %s from %s", reply, s->peer.addr);
	return true;
}

static bool count(struct session *s, enum anvil_rate rate, int limit)
{
	uint32_t n;

	if (!s->client_counter)
		return false;
	n = counter_add(s->client_table, s->client_counter, (int)rate, 1,
	    (uint64_t)clock_wall_us() / 1000000,
	    (uint32_t)s->srv->config->smtpd.anvil_rate_time_unit);
	if (limit <= 0 || n <= (uint32_t)limit || s->limits_exempt)
		return false;
	return refuse(s, events[rate].log, n, events[rate].reply, events[rate].ends);
}

bool limits_connect(struct session *s)
{
	uint64_t now = (uint64_t)clock_wall_us() / 1000000;
	int limit = s->params->client_connection_count_limit;
	char key[CLIENT_KEY_SIZE];
	uint32_t n;

	s->client_table = s->srv->clients ? anvil_counters(s->srv->clients) : NULL;
	if (!s->client_table)
		return false;
	client_key(s, key);
	s->client_counter = counters_get(s->client_table, key, now);
	if (!s->client_counter)
		return false;
	s->limits_exempt = is_exempt(s);
	n = counter_enter(s->client_table, s->client_counter, anvil_holder(s->srv->clients), now);
	if (limit > 0 && n > (uint32_t)limit && !s->limits_exempt)
		return refuse(s, "Connection concurrency", n, "too many connections", true);
	return count(s, ANVIL_CONNECTIONS, s->params->client_connection_rate_limit);
}

void limits_leave(struct session *s)
{
	if (s->client_counter)
		counter_leave(s->client_table, s->client_counter, anvil_holder(s->srv->clients));
	s->client_counter = NULL;
}

bool limits_message(struct session *s)
{
	return count(s, ANVIL_MESSAGES, s->params->client_message_rate_limit);
}

bool limits_recipient(struct session *s)
{
	return count(s, ANVIL_RECIPIENTS, s->params->client_recipient_rate_limit);
}

bool limits_new_tls(struct session *s)
{
	return count(s, ANVIL_NEW_TLS, s->params->client_new_tls_session_rate_limit);
}

bool limits_new_tls_reached(struct session *s)
{
	int limit = s->params->client_new_tls_session_rate_limit;

	return limit > 0 && s->client_counter && !s->limits_exempt &&
	       counter_value(s->client_counter, ANVIL_NEW_TLS, (uint64_t)clock_wall_us() / 1000000,
	           (uint32_t)s->srv->config->smtpd.anvil_rate_time_unit) > (uint32_t)limit;
}

bool limits_auth(struct session *s)
{
	return count(s, ANVIL_AUTHS, s->params->client_auth_rate_limit);
}
