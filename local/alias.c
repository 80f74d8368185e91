/* SPDX-License-Identifier: ISC */
#include "local/alias.h"

#include <string.h>

#include "lib/mail/address.h"

static const char include_word[] = ":include:";

static void add(
    struct alias_list *list, struct arena *arena, enum alias_kind kind, const char *text)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 8;
		struct alias_item *items = arena_zero(arena, cap, sizeof(*items));

		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->cap = cap;
	}
	list->items[list->count++] = (struct alias_item){kind, text};
}

/* The end of a quoted string that begins at text[0] (behind its last quote), or 0. */
static size_t quoted_len(struct slice text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.data[i] == '\\')
			i++;
		else if (text.data[i] == '"')
			return i + 1;
	}
	return 0;
}

static bool all_quoted(struct slice text)
{
	return text.len >= 2 && text.data[0] == '"' && quoted_len(text) == text.len;
}

static char *unquote(struct slice text, struct arena *arena)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t n = 0;

	for (size_t i = 1; i + 1 < text.len; i++) {
		if (text.data[i] == '\\' && i + 2 < text.len)
			i++;
		out[n++] = text.data[i];
	}
	out[n] = '\0';
	return out;
}

static char *plain(struct slice text, struct arena *arena)
{
	text = slice_trim(text);
	return all_quoted(text) ? unquote(text, arena) : arena_strndup(arena, text.data, text.len);
}

struct collect {
	struct alias_list *list;
	struct arena *arena;
};

static void collect_address(void *arg, const char *address)
{
	struct collect *c = arg;

	add(c->list, c->arena, ALIAS_ADDRESS, arena_strdup(c->arena, address));
}

static int parse_addresses(
    struct slice text, struct arena *arena, struct alias_list *list, struct err *err)
{
	struct collect c = {list, arena};

	if (address_each(text, collect_address, &c) < 0)
		return err_set(err, 0, "malformed address: \"%.200s\"",
		    arena_strndup(arena, text.data, text.len));
	return 0;
}

static int classify(
    struct slice item, struct arena *arena, struct alias_list *list, struct err *err)
{
	struct slice bare = item;
	bool quoted = all_quoted(item);
	size_t skip = sizeof(include_word) - 1;

	if (quoted) {
		const char *inner = unquote(item, arena);

		bare = slice_text(inner);
	}
	if (bare.len == 0)
		return 0;
	if (bare.data[0] == '|') {
		const char *command = plain(slice_of(bare.data + 1, bare.len - 1), arena);

		if (!*command)
			return err_set(err, 0, "empty command");
		add(list, arena, ALIAS_COMMAND, command);
	} else if (bare.len > skip && !strncasecmp(bare.data, include_word, skip)) {
		add(list, arena, ALIAS_INCLUDE,
		    plain(slice_of(bare.data + skip, bare.len - skip), arena));
	} else if (bare.data[0] == '/' && (quoted || !slice_has(bare, '@'))) {
		add(list, arena, ALIAS_FILE, plain(bare, arena));
	} else if (bare.data[0] == '\\' && bare.len > 1 && !slice_has(bare, '@')) {
		add(list, arena, ALIAS_USER, plain(slice_of(bare.data + 1, bare.len - 1), arena));
	} else {
		return parse_addresses(item, arena, list, err);
	}
	return 0;
}

/* The length of the target at the start of text: up to a comma outside quotes and brackets. */
static size_t item_len(struct slice text)
{
	size_t i = 0;
	int comment = 0;
	bool angle = false;

	while (i < text.len) {
		char c = text.data[i];

		if (c == '\\') {
			i += 2;
			continue;
		}
		if (c == '"' && !comment) {
			size_t len = quoted_len(slice_of(text.data + i, text.len - i));

			i += len ? len : text.len - i;
			continue;
		}
		/* In a command, brackets are the shell's. */
		if (text.data[0] != '|') {
			if (c == '(')
				comment++;
			else if (c == ')' && comment)
				comment--;
			else if (c == '<' && !comment)
				angle = true;
			else if (c == '>' && !comment)
				angle = false;
		}
		if (c == ',' && !comment && !angle)
			break;
		i++;
	}
	return i < text.len ? i : text.len;
}

static int parse_line(
    struct slice line, struct arena *arena, struct alias_list *list, struct err *err)
{
	line = slice_trim(line);
	if (line.len && line.data[0] == '#')
		return 0;
	while (line.len) {
		size_t len;

		if (line.data[0] == ',') {
			line = slice_trim(slice_of(line.data + 1, line.len - 1));
			continue;
		}
		len = item_len(line);
		if (classify(slice_trim(slice_of(line.data, len)), arena, list, err) < 0)
			return -1;
		line = slice_trim(slice_of(line.data + len, line.len - len));
	}
	return 0;
}

int alias_list_parse(
    struct slice text, struct arena *arena, struct alias_list *list, struct err *err)
{
	if (text.len && memchr(text.data, '\0', text.len))
		return err_set(err, 0, "a zero byte in the list");
	while (text.len) {
		const char *lf = memchr(text.data, '\n', text.len);
		size_t len = lf ? (size_t)(lf - text.data) : text.len;

		if (parse_line(slice_of(text.data, len), arena, list, err) < 0)
			return -1;
		if (!lf)
			break;
		text = slice_of(lf + 1, text.len - len - 1);
	}
	return 0;
}
