/* SPDX-License-Identifier: ISC */
#include "bounce/bounce.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/post/transcript.h"
#include "lib/service/service.h"

/* bounce(8): logs of what failed, and the notices made from them; services bounce, defer, trace. */

static struct bounce self;

/* Which of the three it is: bounce_service_name and the others say what they are called. */
static const char *role_of(const char *name)
{
	if (!strcmp(name, self.params.defer_service))
		return "defer";
	return !strcmp(name, self.params.trace_service) ? "trace" : "bounce";
}

static void load_templates(struct service *service)
{
	struct arena *arena = conf_arena(service_conf(service));
	const char *path = self.params.bounce_template_file;
	struct str problems = {0};

	template_set_builtin(&self.templates);
	if (*path)
		template_read(path, arena, &self.templates, &problems);
	template_expand(service_conf(service), path, arena, &self.templates, &problems);
	for (const char *at = str_text(&problems); *at; at = strchr(at, '\n') + 1)
		log_warn("bounce_template_file: %.*s -- using the built-in text",
		    (int)strcspn(at, "\n"), at);
	str_fini(&problems);
}

/* Tables may be root's alone. */
static void before_drop(struct service *service)
{
	self.core = service_core(service);
	self.router = router_new(self.core, &self.route_params);
	self.mapper = mapper_open(self.core, &self.map_params, self.router);
}

static enum table_age age(struct service *service UNUSED)
{
	return MAX(router_age(self.router), mapper_age(self.mapper));
}

static void init(struct service *service)
{
	struct err err;

	self.name = role_of(service_name(service));
	self.generation = service_generation(service);
	self.notifier = notifier_new();
	load_templates(service);
	if (queue_open(&self.queue_params, self.core->enable_long_queue_ids, &self.queue, &err) < 0)
		fatal("%s", err.text);
}

static void session(struct service *service, int fd)
{
	bounce_serve(&self, service, fd);
}

int main(int argc, char **argv)
{
	static const struct conf_table *const tables[] = {
	    &bounce_param_table, &queue_params, &route_params, &map_params, NULL};
	void *const params[] = {
	    &self.params, &self.queue_params, &self.route_params, &self.map_params};
	const struct service_spec spec = {
	    .program = "bounce",
	    .tables = tables,
	    .params = params,
	    .before_drop = before_drop,
	    .init = init,
	    .session = session,
	    .age = age,
	};

	return service_run(&spec, argc, argv);
}
