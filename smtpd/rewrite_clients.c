/* SPDX-License-Identifier: ISC */
/* local_header_rewrite_clients: whose mail gets missing headers and complete addresses. */
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "smtpd/restrict.h"

static bool is_table(const struct restriction *item)
{
	return strchr(item->name, ':') != NULL;
}

static bool is_known(const char *name)
{
	static const char *const known[] = {"permit_inet_interfaces", "permit_mynetworks",
	    "permit_sasl_authenticated", "permit_tls_clientcerts", "permit_tls_all_clientcerts"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcasecmp(name, known[i]) == 0)
			return true;
	return false;
}

/* Tables, with or without check_address_map before them, go to one chain: what they say does not
 * count. */
void rewrite_clients_open(struct smtpd *srv, const char *text)
{
	static const char parameter[] = "local_header_rewrite_clients";
	struct restriction_list *list = restriction_list_parse(parameter, text);
	struct str tables = {0};
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct restriction *item = &list->items[i];

		if (is_table(item))
			str_printf(&tables, "%s ", item->name);
		else if (is_known(item->name))
			list->items[kept++] = *item;
		else if (strcasecmp(item->name, "check_address_map") != 0)
			log_warn("parameter %s: invalid request: %s", parameter, item->name);
	}
	list->count = kept;
	srv->rewrite_clients = list;
	srv->rewrite_tables = table_chain_open(str_text(&tables), TABLE_FOLD_KEY);
	str_fini(&tables);
}

bool rewrite_clients_match(struct session *s)
{
	enum table_answer answer = TABLE_NOT_FOUND;
	struct str unused = {0};
	struct err err;

	if (access_permits(s, s->srv->rewrite_clients))
		return true;
	if (!table_chain_empty(s->srv->rewrite_tables))
		answer = table_chain_get(s->srv->rewrite_tables, s->peer.addr, &unused, &err);
	if (answer == TABLE_ERROR)
		log_warn("%s", err.text);
	str_fini(&unused);
	return answer == TABLE_FOUND;
}
