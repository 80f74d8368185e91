/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "commands/postconf/postconf.h"
#include "lib/base/log.h"

/* $name in these stands for something that is known only when mail is there: never expanded here.
 */
static const char *const raw_names[] = {"command_execution_directory", "default_rbl_reply",
    "forward_path", "luser_relay", "mailbox_command", "postscreen_expansion_filter",
    "postscreen_reject_footer", "smtpd_expansion_filter", "smtpd_reject_footer"};

static bool is_raw(struct postconf *pc, const char *name)
{
	const struct conf_param *row = conf_names_row(pc->names, name);

	if (row)
		return row->kind == &conf_kind_raw;
	for (size_t i = 0; i < ARRAY_LEN(raw_names); i++) {
		if (strcmp(raw_names[i], name) == 0)
			return true;
	}
	return false;
}

void show_pair(struct postconf *pc, const char *name, const char *value)
{
	struct folder f = {.out = pc->out, .fold = pc->fold};

	if (!pc->no_names) {
		fold_text(&f, name);
		if (!pc->no_values)
			fold_text(&f, " =");
	}
	if (!pc->no_values)
		fold_words(&f, value);
	fold_end(&f);
}

const char *show_value(struct postconf *pc, const char *name, const char *raw)
{
	struct str text = {0};
	struct err err;
	const char *value;

	if (!pc->expand || is_raw(pc, name))
		return raw;
	if (conf_expand(pc->conf, raw, &text, &err) < 0) {
		const char *origin = conf_origin(pc->conf, name);

		log_warn("%s%s%s: %s", origin ? origin : "", origin ? ": " : "", name, err.text);
		str_fini(&text);
		return NULL;
	}
	value = arena_strndup(conf_arena(pc->conf), str_text(&text), text.len);
	str_fini(&text);
	return value;
}

static void show_name(struct postconf *pc, const char *name)
{
	const char *raw = pc->defaults ? conf_default(pc->conf, name) : conf_raw(pc->conf, name);
	const char *value;

	if (pc->no_values) {
		show_pair(pc, name, "");
		return;
	}
	value = show_value(pc, name, raw ? raw : "");
	if (value)
		show_pair(pc, name, value);
}

void show_params(struct postconf *pc, char **names, int count)
{
	const char *const *list;
	size_t n;

	for (int i = 0; i < count; i++) {
		if (conf_names_class(pc->names, names[i]) == CONF_NAME_UNKNOWN)
			log_warn("%s: unknown parameter", names[i]);
		else if (!pc->set_only || conf_is_set(pc->conf, names[i]))
			show_name(pc, names[i]);
	}
	if (count > 0)
		return;
	n = conf_names_list(pc->names, &list);
	for (size_t i = 0; i < n; i++) {
		if (pc->set_only && !conf_is_set(pc->conf, list[i]))
			continue;
		if (pc->classes & (1 << conf_names_class(pc->names, list[i])))
			show_name(pc, list[i]);
	}
}
