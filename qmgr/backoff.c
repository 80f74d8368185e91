/* SPDX-License-Identifier: ISC */
#include "qmgr/backoff.h"

#include <string.h>

#include "lib/base/attr.h"
#include "qmgr/spec.h"

static int parse_concurrency(struct slice value, void *into, struct err *err)
{
	struct backoff *out = into;
	uint64_t n;

	if (!num_u64(value.data, value.len, 10000, &n) || n == 0)
		return err_set(err, 0, "concurrency=%.*s: expected 1 to 10000", SLICE_ARG(value));
	out->concurrency = (int)n;
	return 0;
}

static int parse_scope(struct slice value, void *into, struct err *err)
{
	struct backoff *out = into;

	if (slice_eq_nocase(value, "destination"))
		out->scope = BACKOFF_DESTINATION;
	else if (slice_eq_nocase(value, "mx"))
		out->scope = BACKOFF_MX;
	else
		return err_set(err, 0, "scope=%.*s: expected destination or mx", SLICE_ARG(value));
	return 0;
}

static const struct spec_option options[] = {
    {"concurrency", parse_concurrency},
    {"scope", parse_scope},
};

int backoff_parse(const char *text, struct backoff *out, struct err *err)
{
	struct slice rest = slice_text(text), word;
	int64_t seconds;

	*out = (struct backoff){.concurrency = 1};
	if (!spec_word(&rest, &word) || !spec_seconds(word, BACKOFF_MAX_S, &seconds))
		return err_set(err, 0,
		    "time \"%.*s\": expected 1s to 1d, such as 90s, 5m, then concurrency=N and "
		    "scope=mx at will",
		    SLICE_ARG(word));
	out->ms = seconds * 1000;
	return spec_options(rest, options, ARRAY_LEN(options), out, err);
}

const char *backoff_answer(const struct rcpt_result *result)
{
	static const char prefix[] = "smtp; ";

	if (result->outcome != OUTCOME_DEFERRED && result->outcome != OUTCOME_BOUNCED)
		return NULL;
	if (result->diag && strncmp(result->diag, prefix, sizeof(prefix) - 1) == 0)
		return result->diag + sizeof(prefix) - 1;
	return result->reason && *result->reason ? result->reason : NULL;
}

/* Names below which domains are registered by others, under a country's code. */
static bool is_registry(struct slice label)
{
	static const char *const names[] = {"ac", "co", "com", "edu", "go", "gob", "gov", "govt",
	    "mil", "ne", "net", "nom", "or", "org", "sch"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (slice_eq_nocase(label, names[i]))
			return true;
	}
	return false;
}

/* The label that ends at *end; *end moves to the dot before it. */
static struct slice last_label(const char *host, size_t *end)
{
	size_t to = *end, from = to;

	while (from > 0 && host[from - 1] != '.')
		from--;
	*end = from > 0 ? from - 1 : 0;
	return slice_of(host + from, to - from);
}

static bool is_address(const char *host)
{
	return strchr(host, ':') || host[strspn(host, "0123456789.")] == '\0';
}

void backoff_provider(const char *host, char out[PROVIDER_MAX])
{
	size_t len = strlen(host), end, from;
	struct slice top, second;

	while (len > 0 && host[len - 1] == '.')
		len--;
	len = MIN(len, (size_t)PROVIDER_MAX - 1);
	end = len;
	from = 0;
	if (!is_address(host)) {
		top = last_label(host, &end);
		second = last_label(host, &end);
		if (top.len == 2 && end > 0 && is_registry(second))
			second = last_label(host, &end);
		if (second.len > 0)
			from = (size_t)(second.data - host);
	}
	memcpy(out, host + from, len - from);
	out[len - from] = '\0';
	text_lower(out);
}
