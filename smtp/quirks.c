/* SPDX-License-Identifier: ISC */
#include "smtp/quirks.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/table/table.h"

static const struct {
	const char *name;
	int flag;
} workarounds[] = {{"disable_esmtp", PIX_DISABLE_ESMTP}, {"delay_dotcrlf", PIX_DELAY_DOTCRLF}};

/* What a table says of the server's address: 1, 0 nothing, -1 with *why. */
static int by_address(struct table_chain *maps, const char *what, const struct session *s,
    const struct target *to, struct str *value, struct arena *arena, struct trouble *why)
{
	char text[64];
	struct err err;

	if (table_chain_empty(maps))
		return 0;
	if (!to->addr->path)
		net_addr_text(&to->addr->addr, text, sizeof(text));
	switch (table_chain_get(maps, to->addr->path ? to->addr->path : text, value, &err)) {
	case TABLE_FOUND:
		return 1;
	case TABLE_NOT_FOUND:
		return 0;
	default:
		log_warn("%s: %s: %s", s->name, what, err.text);
		trouble_set(why, arena, "4.3.5", "mail system configuration error: %s", what);
		return -1;
	}
}

/* The words of a text; they live in arena. */
static struct conf_list words_of(const char *text, struct arena *arena)
{
	const char **items = arena_zero(arena, strlen(text) / 2 + 2, sizeof(*items));
	struct conf_list list = {.items = items};

	for (;;) {
		size_t len;

		text += strspn(text, ", \t\r\n");
		len = strcspn(text, ", \t\r\n");
		if (len == 0)
			return list;
		items[list.count++] = arena_strndup(arena, text, len);
		text += len;
	}
}

bool quirks_hides_greeting(const struct session *s)
{
	const char *text = str_text(&s->reply.text);

	return strchr(text, '*') && text[strspn(text, "20 *\t")] == '\0';
}

static int pix_of_words(const struct session *s, struct conf_list words)
{
	int flags = 0;

	for (size_t i = 0; i < words.count; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(workarounds) &&
		       !text_eq_nocase(words.items[i], workarounds[k].name))
			k++;
		if (k < ARRAY_LEN(workarounds))
			flags |= workarounds[k].flag;
		else
			log_warn("%s: pix_workaround_maps: unknown workaround \"%s\"", s->name,
			    words.items[i]);
	}
	return flags;
}

int quirks_pix(const struct smtp_client *c, const struct session *s, const struct target *to,
    struct arena *arena, struct trouble *why)
{
	int flags = c->params->pix_workarounds;
	struct str value = {0}, names = {0};
	int rc = by_address(c->pix_maps, "pix_workaround_maps", s, to, &value, arena, why);

	if (rc > 0)
		flags = pix_of_words(s, words_of(str_text(&value), arena));
	for (size_t k = 0; k < ARRAY_LEN(workarounds); k++)
		if (flags & workarounds[k].flag)
			str_printf(&names, "%s%s", names.len ? " " : "", workarounds[k].name);
	if (rc >= 0 && flags)
		log_info("%s: enabling PIX workarounds: %s for %s", to->request->id,
		    str_text(&names), s->relay);
	str_fini(&value);
	str_fini(&names);
	return rc < 0 ? -1 : flags;
}

int quirks_discard(const struct smtp_client *c, const struct session *s, const struct target *to,
    struct arena *arena, struct conf_list *out, struct trouble *why)
{
	struct str value = {0}, names = {0};
	int rc = by_address(
	    c->discard_maps, "discard_ehlo_keyword_address_maps", s, to, &value, arena, why);
	bool silent = false;

	*out = c->params->discard_ehlo_keywords;
	if (rc > 0)
		*out = words_of(str_text(&value), arena);
	for (size_t i = 0; i < out->count; i++) {
		silent |= text_eq_nocase(out->items[i], "silent-discard");
		str_printf(&names, "%s%s", i ? " " : "", out->items[i]);
	}
	if (rc >= 0 && out->count > 0 && !silent)
		log_info("%s: discarding EHLO keywords: %s", s->relay, str_text(&names));
	str_fini(&value);
	str_fini(&names);
	return rc < 0 ? -1 : 0;
}
