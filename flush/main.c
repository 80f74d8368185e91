/* SPDX-License-Identifier: ISC */
/* flush(8): knows which deferred mail waits for which destination, and has it tried on demand. */
#include "flush/flush.h"
#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/service/service.h"

static struct flush_params params;
static struct queue_params queue_settings;
static struct flush self = {.params = &params};

static bool matches_subdomains(void)
{
	const struct conf_list *list = &params.parent_domain_matches_subdomains;

	for (size_t i = 0; i < list->count; i++) {
		if (text_eq_nocase(list->items[i], "fast_flush_domains"))
			return true;
	}
	return false;
}

/* Tables may be root's alone. */
static void before_drop(struct service *service UNUSED)
{
	self.domains = match_list_open("fast_flush_domains", params.domains,
	    matches_subdomains() ? MATCH_SUBDOMAINS : MATCH_DOMAINS);
}

static enum table_age age(struct service *service UNUSED)
{
	return match_list_age(self.domains);
}

static void init(struct service *service)
{
	const struct core_params *core = service_core(service);
	struct err err;

	if (queue_open(&queue_settings, core->enable_long_queue_ids, &self.queue, &err) < 0)
		fatal("%s", err.text);
}

static void session(struct service *service, int fd)
{
	flush_serve(&self, service, fd);
}

static void exiting(struct service *service)
{
	(void)service;
	match_list_close(&self.domains);
	queue_close(&self.queue);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {&flush_params, &queue_params, NULL};
	static void *const structs[] = {&params, &queue_settings};
	static const struct service_spec spec = {
	    .program = "flush",
	    .tables = tables,
	    .params = structs,
	    .before_drop = before_drop,
	    .init = init,
	    .session = session,
	    .age = age,
	    .exiting = exiting,
	};

	return service_run(&spec, argc, argv);
}
