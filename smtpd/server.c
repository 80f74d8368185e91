/* SPDX-License-Identifier: ISC */
/* What lives as long as the process: everything that is looked up per session is opened here. */
#include "smtpd/smtpd.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/master_cf.h"
#include "lib/dns/dns.h"
#include "lib/shape/checks.h"
#include "lib/table/debug_peer.h"
#include "smtpd/auth.h"
#include "smtpd/limits.h"
#include "smtpd/macros.h"

/*
 * The stress texts differ from the normal ones only where a parameter names $stress. Without a
 * change in the text the normal value is kept: overrides of -o stay in force either way.
 */
static void load_stress(struct smtpd *srv, struct conf *conf)
{
	struct conf_report report = {0};

	conf_set(conf, "stress", "yes", "stress");
	if (conf_fill(conf, &smtpd_params, &srv->stress, &report) < 0)
		srv->stress = srv->config->smtpd;
	if (conf_fill(conf, &smtpd_tls_params, &srv->stress_tls, &report) < 0)
		srv->stress_tls = srv->config->tls;
	conf_set(conf, "stress", "", "stress");
	conf_report_fini(&report);
}

/*
 * An entry of program cleanup starts nothing, but its -o settings apply to what it would have done
 * (decision D1 of doc/architecture.md).
 */
static void load_cleanup(struct smtpd *srv, struct conf *conf)
{
	struct master_cf cf;
	const struct master_cf_entry *entry;
	struct conf_report report = {0};
	struct err err;

	srv->shape = &srv->config->shape;
	srv->map = &srv->config->map;
	if (master_cf_load(conf_etc(conf), &cf, &err) < 0)
		return; /* tests have none, and master has complained */
	entry = master_cf_find(&cf, srv->config->smtpd.cleanup_service_name, "unix");
	if (entry && strcmp(entry->command, "cleanup") == 0 && entry->override_count > 0 &&
	    conf_load(conf_etc(conf), &srv->cleanup_conf, &err) == 0) {
		for (size_t i = 0; i < entry->override_count; i++)
			conf_set(srv->cleanup_conf, entry->overrides[i].name,
			    entry->overrides[i].value, "master.cf");
		if (conf_fill(srv->cleanup_conf, &shape_params, &srv->cleanup_shape, &report) ==
		        0 &&
		    conf_fill(srv->cleanup_conf, &map_params, &srv->cleanup_map, &report) == 0) {
			srv->shape = &srv->cleanup_shape;
			srv->map = &srv->cleanup_map;
		} else
			log_warn("settings of service %s: %s", entry->name, str_text(&report.text));
	}
	conf_report_fini(&report);
	master_cf_fini(&cf);
}

static void load_interfaces(struct smtpd *srv)
{
	struct ifaddrs *all, *i;
	struct net_addr addr;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			addr.len = sizeof(struct sockaddr_in);
		else if (i->ifa_addr->sa_family == AF_INET6)
			addr.len = sizeof(struct sockaddr_in6);
		else
			continue;
		memcpy(&addr.sa, i->ifa_addr, addr.len);
		srv->interfaces = alloc_array(
		    srv->interfaces, srv->interface_count + 1, sizeof(*srv->interfaces));
		srv->interfaces[srv->interface_count++] = addr;
	}
	freeifaddrs(all);
}

static void load_restrictions(struct smtpd *srv, struct conf *conf)
{
	const struct smtpd_params *p = &srv->config->smtpd;

	for (int stage = 0; stage < ACCESS_STAGES; stage++) {
		const char *text, *name = access_stage_list(p, (enum access_stage)stage, &text);

		srv->restrictions[stage] = restriction_list_parse(name, text);
	}
	rewrite_clients_open(srv, p->local_header_rewrite_clients);
	access_open(srv, conf);
	srv->relay_protected = access_protects(srv);
}

void server_open(struct smtpd *srv, const struct smtpd_config *config, struct conf *conf)
{
	const struct smtpd_params *p = &config->smtpd;

	srv->config = config;
	load_stress(srv, conf);
	load_cleanup(srv, conf);
	load_interfaces(srv);
	load_restrictions(srv, conf);
	srv->router = router_new(config->core, &config->route);
	srv->checks = shape_checks_open(srv->shape);
	srv->addresses = mapper_open(config->core, &config->map, srv->router);
	srv->mapper = srv->addresses;
	if (srv->map != &config->map)
		srv->mapper = mapper_open(config->core, srv->map, srv->router);
	srv->notifier = notifier_new();
	srv->mynetworks = match_list_open("mynetworks", config->core->mynetworks, 0);
	if (*p->authorized_verp_clients)
		srv->verp_clients =
		    match_list_open("smtpd_authorized_verp_clients", p->authorized_verp_clients, 0);
	srv->transcript = transcript_new(config->core->notify_classes);
	srv->forbidden_commands =
	    match_list_open("smtpd_forbidden_commands", p->forbidden_commands, 0);
	srv->bare_newline_exclusions = match_list_open(
	    "smtpd_forbid_bare_newline_exclusions", p->forbid_bare_newline_exclusions, 0);
	if (*p->authorized_xclient_hosts)
		srv->xclient_hosts = match_list_open(
		    "smtpd_authorized_xclient_hosts", p->authorized_xclient_hosts, 0);
	if (*p->authorized_xforward_hosts)
		srv->xforward_hosts = match_list_open(
		    "smtpd_authorized_xforward_hosts", p->authorized_xforward_hosts, 0);
	if (*p->upstream_proxy_networks)
		srv->proxy_networks =
		    match_list_open("smtpd_upstream_proxy_networks", p->upstream_proxy_networks, 0);
	srv->discard_maps = table_chain_open(p->discard_ehlo_keyword_address_maps, TABLE_FOLD_KEY);
	srv->command_filter = table_chain_open(p->command_filter, 0);
	srv->footer_maps = table_chain_open(p->reject_footer_maps, 0);
	macros_allow(srv->expansion_allowed, p->expansion_filter);
	srv->peers = peer_cache_new();
	if (*config->tls.relay_clientcerts)
		srv->client_certs = table_chain_open(config->tls.relay_clientcerts, TABLE_FOLD_KEY);
	limits_open(srv);
	auth_open(srv, config, conf_etc(conf));
}

int server_init(
    struct smtpd *srv, const struct smtpd_config *config, struct conf *conf, struct err *err)
{
	if (!srv->config)
		server_open(srv, config, conf);
	return queue_open(&config->queue, config->core->enable_long_queue_ids, &srv->queue, err);
}

enum table_age server_age(const struct smtpd *srv)
{
	struct match_list *lists[] = {srv->mynetworks, srv->forbidden_commands,
	    srv->bare_newline_exclusions, srv->verp_clients, srv->xclient_hosts,
	    srv->xforward_hosts, srv->proxy_networks, srv->limit_exceptions};
	struct table_chain *chains[] = {srv->discard_maps, srv->command_filter, srv->footer_maps,
	    srv->client_certs, srv->login_limits, srv->sender_limits};
	enum table_age worst = MAX(access_age(srv->access), auth_age(srv));

	worst = MAX(worst, router_age(srv->router));
	worst = MAX(worst, checks_age(srv->checks));
	worst = MAX(worst, debug_peer_age(srv->debug));
	worst = MAX(worst, MAX(mapper_age(srv->mapper), mapper_age(srv->addresses)));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		worst = MAX(worst, match_list_age(lists[i]));
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		worst = MAX(worst, table_chain_age(chains[i]));
	return worst;
}

void server_fini(struct smtpd *srv)
{
	for (int i = 0; i < ACCESS_STAGES; i++)
		restriction_list_free(&srv->restrictions[i]);
	restriction_list_free(&srv->rewrite_clients);
	table_chain_close(&srv->rewrite_tables);
	access_close(srv);
	match_list_close(&srv->mynetworks);
	match_list_close(&srv->forbidden_commands);
	match_list_close(&srv->verp_clients);
	transcript_free(&srv->transcript);
	debug_peer_close(&srv->debug);
	match_list_close(&srv->bare_newline_exclusions);
	match_list_close(&srv->xclient_hosts);
	match_list_close(&srv->xforward_hosts);
	match_list_close(&srv->proxy_networks);
	table_chain_close(&srv->discard_maps);
	table_chain_close(&srv->command_filter);
	table_chain_close(&srv->footer_maps);
	limits_close(srv);
	table_chain_close(&srv->client_certs);
	auth_close(srv);
	peer_cache_free(&srv->peers);
	dns_resolver_free(&srv->resolver);
	notifier_free(&srv->notifier);
	checks_close(&srv->checks);
	if (srv->mapper != srv->addresses)
		mapper_close(&srv->mapper);
	mapper_close(&srv->addresses);
	router_free(&srv->router);
	queue_close(&srv->queue);
	conf_free(&srv->cleanup_conf);
	free(srv->interfaces);
	srv->interfaces = NULL;
	srv->interface_count = 0;
}
