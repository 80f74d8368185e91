/* SPDX-License-Identifier: ISC */
/* main.cf from any bytes: read, filled, listed, checked for names. */
#include <stddef.h>
#include <stdint.h>

#include "lib/conf/core.h"
#include "lib/conf/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_table *const tables[] = {&core_params, NULL};
	struct conf_report report = {0};
	struct conf_names *names;
	struct core_params core;
	const char *const *list;
	struct conf *conf;
	struct err err;

	if (size > 65536 ||
	    conf_load_text("/x", "main.cf", (const char *)data, size, &conf, &err) < 0)
		return 0;
	/* The network is not what is tested. */
	conf_set(conf, "mynetworks", "127.0.0.1", "-o");
	conf_set(conf, "myorigin", "$myhostname", "-o");
	conf_fill(conf, &core_params, &core, &report);
	names = conf_names_new(conf, tables, NULL);
	conf_names_list(names, &list);
	conf_check_names(conf, names, NULL, CONF_CHECK_UNKNOWN | CONF_CHECK_EFFECT, &report);
	conf_names_free(&names);
	conf_report_fini(&report);
	conf_free(&conf);
	return 0;
}
