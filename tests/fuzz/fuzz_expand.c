/* SPDX-License-Identifier: ISC */
/* One expression from any bytes; each line is also the value of a parameter a, b, c ... */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy, *rest, *line, name[2] = "a";
	struct str out = {0};
	struct conf *conf;
	struct err err;

	if (size > 65536 || conf_load_text("/x", "main.cf", "", 0, &conf, &err) < 0)
		return 0;
	copy = rest = alloc_strndup((const char *)data, size);
	while ((line = strsep(&rest, "\n")) != NULL && name[0] <= 'z') {
		conf_set(conf, name, line, "-o");
		name[0]++;
	}
	conf_set(conf, "mynetworks", "127.0.0.1", "-o");
	conf_expand(conf, "$a", &out, &err);
	str_fini(&out);
	free(copy);
	conf_free(&conf);
	return 0;
}
