/* SPDX-License-Identifier: ISC */
#include "smtpd/policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/map.h"
#include "smtpd/restrict.h"

enum { POLICIES_MAX = 100 };

/* ---- "{ inet:host:port, timeout=10s, { default_action = 451 4.3.5 text } }" ------------------ */

#define ST struct policy_settings
static const struct conf_param setting_rows[] = {
    CONF_TEXT(ST, default_action, "default_action", "", ""),
    CONF_TEXT(ST, policy_context, "policy_context", "", ""),
    CONF_SECS(ST, max_idle, "max_idle", "300s", 1, 0, ""),
    CONF_SECS(ST, max_ttl, "max_ttl", "1000s", 1, 0, ""),
    CONF_INT(ST, request_limit, "request_limit", "0", 0, 0, ""),
    CONF_SECS(ST, retry_delay, "retry_delay", "1s", 1, 0, ""),
    CONF_SECS(ST, timeout, "timeout", "100s", 1, 0, ""),
    CONF_INT(ST, try_limit, "try_limit", "2", 1, 0, ""),
};

static struct slice unbrace(struct slice text)
{
	text = slice_trim(text);
	if (text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}')
		text = slice_trim(slice_of(text.data + 1, text.len - 2));
	return text;
}

static int set(struct policy *p, struct slice item, struct err *err)
{
	const char *equals = item.len ? memchr(item.data, '=', item.len) : NULL;
	struct slice name, value;

	if (!equals)
		return err_set(err, 0, "\"%.*s\": expected name=value", SLICE_ARG(item));
	name = slice_trim(slice_of(item.data, (size_t)(equals - item.data)));
	value = slice_trim(slice_of(equals + 1, item.len - (size_t)(equals + 1 - item.data)));
	for (size_t i = 0; i < ARRAY_LEN(setting_rows); i++) {
		const struct conf_param *row = &setting_rows[i];
		const char *text = arena_strndup(&p->arena, value.data, value.len);
		void *at = (char *)&p->settings + row->offset;

		if (!slice_eq(name, row->name))
			continue;
		if (row->kind == &conf_kind_text) {
			*(const char **)at = text;
			return 0;
		}
		return row->kind->parse(NULL, row, text, at, err);
	}
	return err_set(err, 0,
	    "\"%.*s\": expected default_action, max_idle, max_ttl, policy_context, "
	    "request_limit, retry_delay, timeout or try_limit",
	    SLICE_ARG(name));
}

static int parse(struct policy *p, const char *text, struct err *err)
{
	struct slice whole = unbrace(slice_text(text)), item;
	const char *list = arena_strndup(&p->arena, whole.data, whole.len), *at = list;

	if (*text != '{') {
		p->endpoint = list;
		return 0;
	}
	if (!table_list_next(&at, &item))
		return err_set(err, 0, "empty policy service: \"%s\"", text);
	p->endpoint = arena_strndup(&p->arena, item.data, item.len);
	while (table_list_next(&at, &item))
		if (set(p, unbrace(item), err) < 0)
			return -1;
	return 0;
}

/* Is it written as it should be? Whether somebody is there is seen later. */
static int check_endpoint(const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	struct slice type = slice_of(text, colon ? (size_t)(colon - text) : 0);
	char host[256];
	unsigned port;

	if (slice_eq(type, "inet"))
		return net_split_host_port(colon + 1, host, sizeof(host), &port, err);
	if ((slice_eq(type, "unix") || slice_eq(type, "local")) && colon[1])
		return 0;
	return err_set(err, 0, "\"%s\": expected inet:host:port or unix:path", text);
}

int policy_check(const char *text, struct err *err)
{
	struct policy p = {.endpoint = ""};
	int rc = parse(&p, text, err);

	if (rc == 0)
		rc = check_endpoint(p.endpoint, err);
	arena_fini(&p.arena);
	return rc;
}

void policy_free(void *value)
{
	struct policy *p = value;

	policy_disconnect(p);
	arena_fini(&p->arena);
	free(p);
}

struct policy *policy_get(struct smtpd *srv, const char *text, struct err *err)
{
	const struct smtpd_params *params = &srv->config->smtpd;
	struct access *a = srv->access;
	struct policy *p = map_get(a->policies, text);

	if (p)
		return p;
	if (map_count(a->policies) >= POLICIES_MAX) {
		err_set(err, 0, "more than %d policy services", POLICIES_MAX);
		return NULL;
	}
	p = alloc_zero(1, sizeof(*p));
	p->settings = (struct policy_settings){
	    .default_action = params->policy_default_action,
	    .policy_context = params->policy_context,
	    .max_idle = params->policy_max_idle,
	    .max_ttl = params->policy_max_ttl,
	    .request_limit = params->policy_request_limit,
	    .retry_delay = params->policy_retry_delay,
	    .timeout = params->policy_timeout,
	    .try_limit = params->policy_try_limit,
	};
	if (parse(p, text, err) < 0 || check_endpoint(p->endpoint, err) < 0)
		goto fail;
	map_put(a->policies, text, p);
	return p;
fail:
	policy_free(p);
	return NULL;
}
