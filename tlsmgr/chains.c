/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/tls/digest.h"
#include "tlsmgr/tlsmgr.h"

static void forget(struct kept_chains *kept, size_t i)
{
	digest_wipe(kept->items[i].text, strlen(kept->items[i].text));
	free(kept->items[i].text);
	free(kept->items[i].name);
	kept->count--;
	memmove(&kept->items[i], &kept->items[i + 1], (kept->count - i) * sizeof(kept->items[0]));
}

void chains_keep(struct kept_chains *kept, const char *name, const char *text)
{
	for (size_t i = 0; i < kept->count; i++)
		if (strcmp(kept->items[i].name, name) == 0)
			forget(kept, i--);
	if (!*name || !*text)
		return;
	if (kept->count == CHAINS_KEPT_MAX)
		forget(kept, 0);
	kept->items[kept->count].name = alloc_strdup(name);
	kept->items[kept->count++].text = alloc_strdup(text);
}

const char *chains_find(const struct kept_chains *kept, const char *name)
{
	for (size_t i = 0; i < kept->count; i++)
		if (strcmp(kept->items[i].name, name) == 0)
			return kept->items[i].text;
	return "";
}

void chains_wipe(struct kept_chains *kept)
{
	while (kept->count)
		forget(kept, 0);
}
