/* SPDX-License-Identifier: ISC */
/* Restriction lists as they are written in main.cf, and all that they need: opened with the
 * process. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/peer/verify.h"
#include "smtpd/ccert_search.h"
#include "smtpd/policy.h"
#include "smtpd/restrict.h"

const char *access_stage_list(
    const struct smtpd_params *p, enum access_stage stage, const char **text_out)
{
	const struct {
		const char *name, *text;
	} lists[] = {
	    [ACCESS_CLIENT] = {"smtpd_client_restrictions", p->client_restrictions},
	    [ACCESS_HELO] = {"smtpd_helo_restrictions", p->helo_restrictions},
	    [ACCESS_SENDER] = {"smtpd_sender_restrictions", p->sender_restrictions},
	    [ACCESS_RELAY] = {"smtpd_relay_restrictions", p->relay_restrictions},
	    [ACCESS_RECIPIENT] = {"smtpd_recipient_restrictions", p->recipient_restrictions},
	    [ACCESS_DATA] = {"smtpd_data_restrictions", p->data_restrictions},
	    [ACCESS_END_OF_DATA] = {"smtpd_end_of_data_restrictions", p->end_of_data_restrictions},
	    [ACCESS_ETRN] = {"smtpd_etrn_restrictions", p->etrn_restrictions},
	};

	*text_out = lists[stage].text;
	return lists[stage].name;
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* The next word; "{ ... }" is one word, so that arguments may hold blanks. */
static struct slice next_word(const char **at)
{
	const char *start;
	int depth = 0;

	while (is_separator(**at))
		(*at)++;
	for (start = *at; **at && (depth > 0 || !is_separator(**at)); (*at)++) {
		if (**at == '{')
			depth++;
		else if (**at == '}' && depth > 0)
			depth--;
	}
	return slice_of(start, (size_t)(*at - start));
}

struct restriction_list *restriction_list_parse(const char *parameter, const char *text)
{
	struct restriction_list *list = alloc_zero(1, sizeof(*list));
	struct slice word;

	list->parameter = arena_strdup(&list->arena, parameter);
	while ((word = next_word(&text)).len > 0) {
		struct restriction item = {.kind = check_find(word), .arg = ""};

		item.name = arena_strndup(&list->arena, word.data, word.len);
		if (item.kind && item.kind->run == check_bare_table)
			item.arg = item.name;
		if (item.kind && item.kind->flags & RESTRICT_ARG) {
			word = next_word(&text);
			item.arg = arena_strndup(&list->arena, word.data, word.len);
		}
		list->items = alloc_array(list->items, list->count + 1, sizeof(item));
		list->items[list->count++] = item;
	}
	return list;
}

void restriction_list_free(struct restriction_list **list)
{
	if (!*list)
		return;
	free((*list)->items);
	arena_fini(&(*list)->arena);
	free(*list);
	*list = NULL;
}

static bool protects(const struct restriction_list *list, const struct map *classes, int depth)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct restriction_kind *kind = list->items[i].kind;
		const struct restriction_list *class_ =
		    classes && !kind ? map_get(classes, list->items[i].name) : NULL;

		if (class_ && depth < RESTRICT_DEPTH_MAX && protects(class_, classes, depth + 1))
			return true;
		if (!kind)
			continue; /* refuses everybody who gets there, which is not what is asked */
		if (!kind->run)
			i++; /* warn_if_reject: the next one refuses nobody */
		else if (kind->flags & RESTRICT_PROTECTS)
			return true;
		else if (kind->flags & RESTRICT_ENDS)
			return false;
	}
	return false;
}

bool restriction_list_protects(const struct restriction_list *list, const struct map *classes)
{
	return protects(list, classes, 0);
}

/* ---- what the process has ------------------------------------------------------------------- */

static void open_table(struct access *a, const char *arg)
{
	struct ccert_search search;
	struct str table = {0};
	struct err err;

	if (ccert_search_parse(arg, &search, &table, &err) == 0)
		access_table(a, str_text(&table));
	str_fini(&table);
}

static void open_tables(struct access *a, const struct restriction_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].kind && list->items[i].kind->flags & RESTRICT_TABLE &&
		    strchr(list->items[i].arg, ':'))
			open_table(a, list->items[i].arg);
}

static void open_classes(struct access *a, struct conf *conf, const struct conf_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];
		struct restriction_list *list;

		if (map_get(a->classes, name))
			continue;
		if (!conf_is_set(conf, name))
			log_warn("restriction class `%s' needs a definition", name);
		list = restriction_list_parse(name, conf_get(conf, name));
		open_tables(a, list);
		map_put(a->classes, name, list);
	}
}

void access_open(struct smtpd *srv, struct conf *conf)
{
	const struct smtpd_params *p = &srv->config->smtpd;
	const struct conf_list *parents = &srv->config->route.parent_domain_matches_subdomains;
	struct access *a = alloc_zero(1, sizeof(*a));

	srv->access = a;
	a->classes = map_new();
	a->tables = map_new();
	a->policies = map_new();
	for (size_t i = 0; i < parents->count; i++)
		if (text_eq_nocase(parents->items[i], "smtpd_access_maps"))
			a->parent_matches = true;
	if (*p->log_permit_actions)
		a->log_permits =
		    match_list_open("smtpd_log_access_permit_actions", p->log_permit_actions, 0);
	a->login_maps = table_chain_open(p->sender_login_maps, TABLE_FOLD_KEY);
	a->rbl_reply_maps = table_chain_open(p->rbl_reply_maps, TABLE_FOLD_KEY);
	if (*p->permit_mx_backup_networks)
		a->mx_backup_networks =
		    match_list_open("permit_mx_backup_networks", p->permit_mx_backup_networks, 0);
	if (*p->dns_reply_filter)
		a->dns_filter = table_chain_open(p->dns_reply_filter, TABLE_FOLD_KEY);
	a->rbl_reply = p->default_rbl_reply;
	a->sasl_enabled = text_eq_nocase(conf_get(conf, "smtpd_sasl_auth_enable"), "yes");
	a->mail_version = conf_get(conf, "mail_version");
	a->compatibility_level = conf_get(conf, "compatibility_level");
	open_classes(a, conf, &p->restriction_classes);
	for (int i = 0; i < ACCESS_STAGES; i++)
		open_tables(a, srv->restrictions[i]);
}

bool access_protects(const struct smtpd *srv)
{
	const struct map *classes = srv->access->classes;

	return restriction_list_protects(srv->restrictions[ACCESS_RELAY], classes) ||
	       restriction_list_protects(srv->restrictions[ACCESS_RECIPIENT], classes);
}

enum table_age access_age(const struct access *a)
{
	enum table_age worst = TABLE_FRESH;
	size_t cursor = 0;
	const char *name;
	void *chain;

	while (map_next(a->tables, &cursor, &name, &chain))
		worst = MAX(worst, table_chain_age(chain));
	worst = MAX(worst, match_list_age(a->log_permits));
	worst = MAX(worst, match_list_age(a->mx_backup_networks));
	worst = MAX(worst, table_chain_age(a->dns_filter));
	worst = MAX(worst, table_chain_age(a->login_maps));
	return MAX(worst, table_chain_age(a->rbl_reply_maps));
}

static void free_list(void *value)
{
	struct restriction_list *list = value;

	restriction_list_free(&list);
}

static void free_table(void *value)
{
	struct table_chain *chain = value;

	table_chain_close(&chain);
}

void access_close(struct smtpd *srv)
{
	struct access *a = srv->access;

	if (!a)
		return;
	map_free(&a->classes, free_list);
	map_free(&a->tables, free_table);
	map_free(&a->policies, policy_free);
	verify_client_free(&a->verify);
	match_list_close(&a->mx_backup_networks);
	table_chain_close(&a->dns_filter);
	table_chain_close(&a->login_maps);
	table_chain_close(&a->rbl_reply_maps);
	match_list_close(&a->log_permits);
	free(a);
	srv->access = NULL;
}

void access_end(struct session *s)
{
	struct access_state *a = &s->access;

	str_fini(&a->if_permit.text);
	str_fini(&a->if_reject.text);
	for (size_t i = 0; i < ARRAY_LEN(a->kept); i++)
		str_fini(&a->kept[i].text);
	map_free(&a->answers, NULL); /* what it holds is in the session's arena */
}
