/* SPDX-License-Identifier: ISC */
#include "smtp/smtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/str.h"
#include "lib/table/debug_peer.h"
#include "lib/table/match.h"
#include "lib/table/table.h"
#include "smtp/cache.h"
#include "smtp/auth.h"
#include "smtp/requiretls.h"
#include "smtp/rewrite.h"
#include "smtp/destination.h"
#include "smtp/engine.h"
#include "smtp/session.h"
#include "smtp/unreachable.h"

/* From parameters to what the deliveries use, once per process. */

/*
 * The time limits of main.cf are for one step each. These bound what a server, or a name server,
 * makes of many of them: a thousand recipients, each answered just in time.
 */
enum { LOOKUP_S = 120, ATTEMPT_S = 3600 };
/* A connection that takes longer than this makes others prefer other addresses. */
enum { GRACE_MS = 3000 };

void trouble_set(struct trouble *t, struct arena *arena, const char *dsn, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memset(t, 0, sizeof(*t));
	t->soft = dsn[0] == '4';
	snprintf(t->dsn, sizeof(t->dsn), "%s", dsn);
	t->reason = arena_strdup(arena, text);
	t->diag = t->mta = "";
}

static bool kernel_has(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* "all", "ipv4", "ipv6", "ipv4, ipv6" */
static int families_of(const char *inet_protocols)
{
	bool all = strcasestr(inet_protocols, "all") != NULL;
	int families = 0;

	if ((all || strcasestr(inet_protocols, "ipv4")) && kernel_has(AF_INET))
		families |= DNS_HOST_V4;
	if ((all || strcasestr(inet_protocols, "ipv6")) && kernel_has(AF_INET6))
		families |= DNS_HOST_V6;
	return families ? families : DNS_HOST_V4;
}

/* "[host]:port" is a destination, but nothing that a match list knows. */
static void open_cache_list(struct smtp_client *c)
{
	const char *cursor = c->params->cache_destinations, *word;
	struct str rest = {0};

	while ((word = destination_next(&cursor, &c->arena)))
		if (word[0] != '[')
			str_printf(&rest, "%s ", word);
	c->cache_always = match_list_open("smtp_connection_cache_destinations", str_text(&rest), 0);
	str_fini(&rest);
}

void smtp_client_share(
    struct smtp_client *c, const struct core_params *core, const struct smtp_params *params)
{
	char *path = alloc_printf("%s/unreachable", core->data_directory);

	c->unreachable = unreachable_open(path, params->unreachable_time, GRACE_MS);
	free(path);
}

void smtp_client_open(struct smtp_client *c, const struct smtp_params *params)
{
	c->reply_filter = table_chain_open(params->reply_filter, 0);
	c->status_filter = table_chain_open(params->delivery_status_filter, 0);
	c->discard_maps = table_chain_open(params->discard_ehlo_keyword_address_maps, 0);
	c->pix_maps = table_chain_open(params->pix_workaround_maps, 0);
	if (*params->dns_reply_filter)
		c->dns_filter = table_chain_open(params->dns_reply_filter, TABLE_FOLD_KEY);
}

enum table_age smtp_client_age(const struct smtp_client *c)
{
	struct table_chain *chains[] = {c->reply_filter, c->status_filter, c->discard_maps,
	    c->pix_maps, c->dns_filter, c->tls ? c->tls->policy_maps : NULL,
	    c->tls ? c->tls->per_site : NULL};
	enum table_age worst = MAX(auth_age(c->auth), checks_age(c->checks));

	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		worst = MAX(worst, table_chain_age(chains[i]));
	worst = MAX(worst, generic_age(c->generic));
	if (c->tls)
		worst = MAX(worst, requiretls_age(c->tls->requiretls));
	return MAX(worst, debug_peer_age(c->debug));
}

int smtp_client_init(struct smtp_client *c, const struct core_params *core,
    const struct smtp_params *params, struct err *err)
{
	char host[8];
	struct err why;

	c->core = core;
	c->params = params;
	c->transcript = transcript_new(core->notify_classes);
	c->idle.fd = -1;
	c->lookup_ms = LOOKUP_S * 1000;
	c->attempt_ms = ATTEMPT_S * 1000;
	if (net_split_host_port(params->tcp_port, host, sizeof(host), &c->default_port, &why) < 0 ||
	    *host)
		return err_set(err, 0, "%s_tcp_port: %s", c->lmtp ? "lmtp" : "smtp", why.text);
	c->families = families_of(core->inet_protocols);
	if (!c->reply_filter)
		smtp_client_open(c, params);
	if (client_open_resolver(c, err) < 0)
		return -1;
	open_cache_list(c);
	cache_open(c);
	client_open_own(c);
	if (!c->unreachable)
		smtp_client_share(c, core, params);
	return 0;
}

void smtp_client_fini(struct smtp_client *c)
{
	cache_fini(c);
	transcript_free(&c->transcript);
	auth_close(&c->auth);
	engine_close(&c->tls);
	generic_close(&c->generic);
	checks_close(&c->checks);
	debug_peer_close(&c->debug);
	match_list_close(&c->cache_always);
	client_close_resolver(c);
	unreachable_close(&c->unreachable);
	table_chain_close(&c->reply_filter);
	table_chain_close(&c->status_filter);
	table_chain_close(&c->discard_maps);
	table_chain_close(&c->pix_maps);
	arena_fini(&c->arena);
}
