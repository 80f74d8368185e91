/* SPDX-License-Identifier: ISC */
#include "smtpd/ccert_search.h"

#include <string.h>

#include "lib/table/table.h"
#include "lib/table/type.h"

static int add_kind(struct ccert_search *search, struct slice word, struct err *err)
{
	bool by_key = slice_eq_nocase(word, "pubkey_fingerprint");

	if (!by_key && !slice_eq_nocase(word, "cert_fingerprint"))
		return err_set(err, 0,
		    "unknown search type '%.*s': expected cert_fingerprint or pubkey_fingerprint",
		    SLICE_ARG(word));
	if (search->count == CCERT_SEARCH_MAX)
		return err_set(err, 0, "more search types than there are");
	search->by_key[search->count++] = by_key;
	return 0;
}

/* "search_order = cert_fingerprint, pubkey_fingerprint", in braces or not. */
static int parse_order(struct ccert_search *search, struct slice text, struct err *err)
{
	static const char name[] = "search_order", separators[] = ", \t\r\n=";
	size_t at;

	table_unbrace(&text);
	if (text.len < strlen(name) || strncmp(text.data, name, strlen(name)) != 0)
		return err_set(err, 0, "\"%.*s\": expected search_order = ...", SLICE_ARG(text));
	for (at = strlen(name); at < text.len;) {
		size_t begin;

		while (at < text.len && strchr(separators, text.data[at]))
			at++;
		begin = at;
		while (at < text.len && !strchr(separators, text.data[at]))
			at++;
		if (at > begin &&
		    add_kind(search, slice_of(text.data + begin, at - begin), err) < 0)
			return -1;
	}
	return search->count ? 0 : err_set(err, 0, "search_order is empty");
}

int ccert_search_parse(
    const char *arg, struct ccert_search *out, struct str *table_out, struct err *err)
{
	struct slice text = slice_text(arg), table;
	struct str inner = {0};
	const char *cursor;
	int rc = 0;

	*out = (struct ccert_search){.count = 0};
	str_clear(table_out);
	if (*arg != '{') {
		*out = (struct ccert_search){.by_key = {false, true}, .count = 2};
		str_put_text(table_out, arg);
		return 0;
	}
	if (!table_unbrace(&text))
		return err_set(err, 0, "%s: unbalanced braces", arg);
	str_put(&inner, text.data, text.len);
	cursor = str_text(&inner);
	if (table_list_next(&cursor, &table))
		str_put(table_out, table.data, table.len);
	while (*cursor && strchr(", \t\r\n", *cursor))
		cursor++;
	if (*cursor)
		rc = parse_order(out, slice_text(cursor), err);
	else
		*out = (struct ccert_search){.by_key = {false, true}, .count = 2};
	if (rc == 0 && !strchr(str_text(table_out), ':'))
		rc = err_set(err, 0, "\"%s\": expected type:name", str_text(table_out));
	str_fini(&inner);
	return rc;
}
