/* SPDX-License-Identifier: ISC */
/* master.cf from any bytes. */
#include <stddef.h>
#include <stdint.h>

#include "lib/conf/master_cf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct master_cf cf;
	struct err err;

	if (size > 65536 || master_cf_parse("master.cf", (const char *)data, size, &cf, &err) < 0)
		return 0;
	for (size_t i = 0; i < cf.count; i++)
		master_cf_find(&cf, cf.entries[i].name, master_cf_type_name(cf.entries[i].type));
	master_cf_fini(&cf);
	return 0;
}
