/* SPDX-License-Identifier: ISC */
/*
 * Lists of tables. A table that could not be opened is tried again when its age is asked, and in
 * lookups at most once a second: mail that was deferred for it flows again when the administrator
 * has made it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/sys/clock.h"
#include "lib/table/file.h"
#include "lib/table/table.h"
#include "lib/table/type.h"

enum { RETRY_MS = 1000 };

struct link {
	struct table *table; /* NULL: could not be opened */
	char *name;
	int64_t next_try_ms;
	bool tried_again; /* err is of a lookup, not of the first opening */
	struct err err;
};

struct table_chain {
	struct link *links;
	size_t count;
	int flags;
	uid_t opened_as;
};

struct table_chain *table_chain_open(const char *list, int flags)
{
	struct table_chain *chain = alloc_zero(1, sizeof(*chain));
	const char *cursor = list ? list : "";
	struct slice item;

	chain->flags = flags;
	chain->opened_as = geteuid();
	while (table_list_next(&cursor, &item)) {
		struct link *link;

		chain->links = alloc_array(chain->links, chain->count + 1, sizeof(*link));
		link = &chain->links[chain->count++];
		*link = (struct link){.name = alloc_strndup(item.data, item.len)};
		if (table_open(link->name, flags, &link->table, &link->err) < 0) {
			log_error("%s", link->err.text);
			link->next_try_ms = clock_mono_ms() + RETRY_MS;
		}
	}
	return chain;
}

void table_chain_close(struct table_chain **chain)
{
	if (!*chain)
		return;
	for (size_t i = 0; i < (*chain)->count; i++) {
		table_close(&(*chain)->links[i].table);
		free((*chain)->links[i].name);
	}
	free((*chain)->links);
	free(*chain);
	*chain = NULL;
}

bool table_chain_empty(const struct table_chain *chain)
{
	return !chain || chain->count == 0;
}

/* With fewer rights than at first the reason of then says more than the one of now. */
static bool is_open(struct link *link, int flags)
{
	struct err err;

	return link->table || table_open(link->name, flags, &link->table, &err) == 0;
}

enum table_age table_chain_age(struct table_chain *chain)
{
	enum table_age worst = TABLE_FRESH;

	for (size_t i = 0; chain && i < chain->count; i++) {
		struct link *link = &chain->links[i];
		enum table_age age = TABLE_FRESH;

		if (is_open(link, chain->flags))
			age = table_age(link->table);
		else if (link->tried_again && table_rights_gone(chain->opened_as, &link->err))
			age = TABLE_OUTDATED; /* it has come to be meanwhile */
		worst = MAX(worst, age);
	}
	return worst;
}

static bool link_ready(struct link *link, int flags, struct err *err)
{
	int64_t now;

	if (link->table)
		return true;
	now = clock_mono_ms();
	if (now >= link->next_try_ms) {
		link->next_try_ms = now + RETRY_MS;
		if (table_open(link->name, flags, &link->table, &link->err) == 0)
			return true;
		link->tried_again = true;
	}
	err_set(err, link->err.code, "%s", link->err.text);
	return false;
}

/* whole: the key is a whole one, not a part of an address; pattern tables get only those. */
static enum table_answer ask(
    struct table_chain *chain, const char *key, bool whole, struct str *out, struct err *err)
{
	str_clear(out);
	for (size_t i = 0; chain && i < chain->count; i++) {
		enum table_answer answer;
		struct link *link = &chain->links[i];

		if (!link_ready(link, chain->flags, err))
			return TABLE_ERROR;
		if (!whole && table_is_pattern(link->table))
			continue;
		answer = table_get(link->table, key, out, err);
		if (answer == TABLE_FOUND && out->len == 0) {
			err_set(
			    err, EINVAL, "%s: lookup of %s gives an empty value", link->name, key);
			return TABLE_ERROR;
		}
		if (answer != TABLE_NOT_FOUND)
			return answer;
	}
	return TABLE_NOT_FOUND;
}

enum table_answer table_chain_get(
    struct table_chain *chain, const char *key, struct str *out, struct err *err)
{
	return ask(chain, key, true, out, err);
}

enum table_answer table_chain_get_part(
    struct table_chain *chain, const char *key, struct str *out, struct err *err)
{
	return ask(chain, key, false, out, err);
}

/* Where the extension's delimiter stands in the local part, or NULL. */
static const char *find_extension(const char *address, const char *at, const char *delimiters)
{
	size_t local = at ? (size_t)(at - address) : strlen(address), n;

	if (!delimiters || !*delimiters || local < 2)
		return NULL;
	/* names that no extension may be cut from */
	if (text_starts_nocase(address, "double-bounce") && local == strlen("double-bounce"))
		return NULL;
	if (text_starts_nocase(address, "mailer-daemon") && local == strlen("mailer-daemon"))
		return NULL;
	/* "owner-list" and "list-request" are names of their own when '-' is a delimiter */
	if (strchr(delimiters, '-') &&
	    ((local > 6 && text_starts_nocase(address, "owner-")) ||
	        (local > 8 && text_starts_nocase(address + local - 8, "-request"))))
		return NULL;
	n = strcspn(address + 1, delimiters);
	return 1 + n < local ? address + 1 + n : NULL;
}

static enum table_answer ask_part(struct table_chain *chain, const char *a, size_t alen,
    const char *b, struct str *out, struct err *err)
{
	char *key = alloc_printf("%.*s%s", (int)alen, a, b);
	enum table_answer answer = ask(chain, key, false, out, err);

	free(key);
	return answer;
}

enum { PARTS_MAX = 5 };

/* What a key of an address is made of: [0, local) of the address, then `rest`. */
struct key_form {
	size_t local;
	const char *rest;
	bool no_ext; /* an extension was left out */
};

/* The keys, most special first. */
static size_t list_keys(
    const char *address, const char *delimiters, bool is_local, struct key_form out[PARTS_MAX])
{
	const char *at = strrchr(address, '@');
	const char *ext = find_extension(address, at, delimiters);
	size_t local = at ? (size_t)(at - address) : strlen(address), count = 0;

	out[count++] = (struct key_form){local, at ? at : "", false};
	if (ext)
		out[count++] = (struct key_form){(size_t)(ext - address), at ? at : "", true};
	if (at && is_local)
		out[count++] = (struct key_form){local, "", false};
	if (at && is_local && ext)
		out[count++] = (struct key_form){(size_t)(ext - address), "", true};
	if (at)
		out[count++] = (struct key_form){0, at, false};
	return count;
}

static enum table_answer find_address(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, struct key_form *found_out, struct str *out,
    struct err *err)
{
	struct key_form keys[PARTS_MAX];
	size_t count = list_keys(address, delimiters, is_local, keys);
	enum table_answer answer = ask(chain, address, true, out, err);

	*found_out = keys[0];
	for (size_t i = 1; i < count && answer == TABLE_NOT_FOUND; i++) {
		*found_out = keys[i];
		answer = ask_part(chain, address, keys[i].local, keys[i].rest, out, err);
	}
	return answer;
}

enum table_answer table_chain_get_address(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, struct str *out, struct err *err)
{
	struct key_form found;

	return find_address(chain, address, delimiters, is_local, &found, out, err);
}

/* One result of a table of addresses becomes the address that stands for the one looked up. */
struct mapping {
	const char *address;
	size_t local;           /* of its local part */
	struct slice extension; /* to be put to each result; empty: none */
};

static void put_result(
    const struct mapping *m, struct slice text, const char *result, struct str *out)
{
	const char *at = strrchr(result, '@');

	str_clear(out);
	if (text.len && text.data[0] == '@') {
		str_put(out, m->address, m->local);
		str_put(out, text.data, strcspn(text.data, ", \t\r\n"));
		return;
	}
	str_put(out, result, at ? (size_t)(at - result) : strlen(result));
	str_put(out, m->extension.data, m->extension.len);
	str_put_text(out, at ? at : "");
}

/* The next of the results; "@domain" is none that the address parser knows. */
static int next_result(const struct mapping *m, struct slice value, size_t *at, struct str *out)
{
	struct str result = {0};
	struct slice rest, span;
	int rc = 1;

	while (*at < value.len && strchr(", \t\r\n", value.data[*at]))
		++*at;
	rest = slice_of(value.data + *at, value.len - *at);
	if (rest.len && rest.data[0] == '@')
		*at += strcspn(rest.data, ", \t\r\n");
	else
		rc = address_next(value, at, &result, &span);
	if (rc > 0)
		put_result(m, rest, str_text(&result), out);
	str_fini(&result);
	return rc;
}

enum table_answer table_chain_map_addresses(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, bool propagate, table_mapped_fn *fn, void *arg,
    struct err *err)
{
	const char *domain = strrchr(address, '@');
	struct mapping m = {
	    .address = address, .local = domain ? (size_t)(domain - address) : strlen(address)};
	struct str value = {0}, result = {0};
	struct key_form found;
	size_t at = 0, count = 0;
	int rc;
	enum table_answer answer =
	    find_address(chain, address, delimiters, is_local, &found, &value, err);

	if (answer == TABLE_FOUND && propagate && found.no_ext)
		m.extension = slice_of(address + found.local, m.local - found.local);
	while (answer == TABLE_FOUND &&
	       (rc = next_result(&m, slice_of(str_text(&value), value.len), &at, &result)) != 0) {
		if (rc < 0)
			break;
		count++;
		if (!fn(arg, str_text(&result)))
			break;
	}
	if (answer == TABLE_FOUND && count == 0) {
		err_set(
		    err, EINVAL, "\"%s\" for %s: expected an address", str_text(&value), address);
		answer = TABLE_ERROR;
	}
	str_fini(&value);
	str_fini(&result);
	return answer;
}

static bool take_first(void *arg, const char *address)
{
	str_put_text(arg, address);
	return false;
}

enum table_answer table_chain_map_address(struct table_chain *chain, const char *address,
    const char *delimiters, bool is_local, bool propagate, struct str *out, struct err *err)
{
	str_clear(out);
	return table_chain_map_addresses(
	    chain, address, delimiters, is_local, propagate, take_first, out, err);
}
