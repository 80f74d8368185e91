/* SPDX-License-Identifier: ISC */
/* What smtpd asks of the service engine and tells it, without an engine. */
#include "lib/service/service.h"

#include "tests/fuzz/session/world.h"

struct conf *__wrap_service_conf(const struct service *service);
const char *__wrap_service_name(const struct service *service);
void __wrap_service_alive(struct service *service);
void __wrap_service_retire(struct service *service);
void __wrap_service_retire_others(struct service *service);
bool __wrap_service_under_stress(const struct service *service);

struct service {
	struct conf *conf;
	bool stress, retired;
};
static struct service engine;

struct service *engine_of(struct conf *conf)
{
	engine = (struct service){.conf = conf};
	return &engine;
}

void engine_stress(bool on)
{
	engine.stress = on;
}

bool engine_is_retired(void)
{
	return engine.retired;
}

struct conf *__wrap_service_conf(const struct service *service)
{
	return service->conf;
}

const char *__wrap_service_name(const struct service *service)
{
	(void)service;
	return "smtp";
}

void __wrap_service_alive(struct service *service)
{
	(void)service;
}

void __wrap_service_retire(struct service *service)
{
	service->retired = true;
}

void __wrap_service_retire_others(struct service *service)
{
	(void)service;
}

bool __wrap_service_under_stress(const struct service *service)
{
	return service->stress;
}
