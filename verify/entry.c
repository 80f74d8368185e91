/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/num.h"
#include "verify/verify.h"

/* A number up to the next colon; *at moves behind that. */
static bool number(const char **at, int64_t max, int64_t *out)
{
	const char *colon = strchr(*at, ':');
	uint64_t value;

	if (!colon || !num_u64(*at, (size_t)(colon - *at), (uint64_t)max, &value))
		return false;
	*out = (int64_t)value;
	*at = colon + 1;
	return true;
}

bool verify_entry_parse(const char *value, struct entry *out)
{
	int64_t status;

	if (!number(&value, VERIFY_TODO, &status) || !number(&value, INT64_MAX / 2, &out->probed) ||
	    !number(&value, INT64_MAX / 2, &out->updated))
		return false;
	out->status = (enum verify_status)status;
	out->text = value;
	return true;
}

void entry_print(struct str *out, const struct entry *e)
{
	str_printf(out, "%d:%lld:%lld:%.*s", (int)e->status, (long long)e->probed,
	    (long long)e->updated, VERIFY_TEXT_MAX, e->text);
}

bool entry_expired(const struct entry *e, const struct verify_params *p, int64_t now)
{
	if (e->updated == 0)
		return now - e->probed > VERIFY_PROBE_TTL;
	return now - e->updated >
	       (e->status == VERIFY_OK ? p->positive_expire : p->negative_expire);
}

bool entry_wants_probe(const struct entry *e, const struct verify_params *p, int64_t now)
{
	if (now - e->probed <= VERIFY_PROBE_TTL && e->probed <= now)
		return false; /* one is on its way */
	if (e->status == VERIFY_TODO || e->updated == 0)
		return true;
	return now - e->updated >
	       (e->status == VERIFY_OK ? p->positive_refresh : p->negative_refresh);
}
