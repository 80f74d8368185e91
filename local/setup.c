/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/table/table.h"

/*
 * Whose rights the commands and files of a table's aliases get: the owner of its file, when that
 * is not root. Sources and indexes may differ in name, so both are looked at; the more humble wins.
 */
static void find_owner(struct local *local, struct local_alias_map *map, const char *name)
{
	static const char *const suffixes[] = {"", ".lmdb"};
	const char *path = strchr(name, ':');
	struct stat st;
	struct err err;

	if (!path || path[1] != '/')
		return;
	for (size_t i = 0; i < ARRAY_LEN(suffixes) && !map->has_owner; i++) {
		const char *file = arena_printf(&local->arena, "%s%s", path + 1, suffixes[i]);

		if (stat(file, &st) == 0 && st.st_uid != 0)
			map->has_owner =
			    identity_find_uid(st.st_uid, &local->arena, &map->owner, &err) == 1;
	}
}

/* The length of the first "type:name" of a list; commas inside {...} belong to it. */
static size_t entry_len(const char *list)
{
	int depth = 0;
	size_t i = 0;

	for (; list[i]; i++) {
		if (list[i] == '{')
			depth++;
		else if (list[i] == '}' && depth)
			depth--;
		else if (!depth && strchr(", \t\r\n", list[i]))
			break;
	}
	return i;
}

/* Each table is opened by itself, since rights depend on which one knows an alias. */
static void open_maps(struct local *local)
{
	const char *list = local->params.alias_maps;

	local->maps = arena_zero(&local->arena, strlen(list) / 2 + 1, sizeof(*local->maps));
	for (;;) {
		struct local_alias_map *map = &local->maps[local->map_count];
		struct err err;
		char *name;
		size_t len;

		list += strspn(list, ", \t\r\n");
		len = entry_len(list);
		if (len == 0)
			break;
		name = arena_strndup(&local->arena, list, len);
		list += len;
		/* One that cannot be opened stays in its place and makes mail wait. */
		if (table_open(name, TABLE_FOLD_KEY | TABLE_NO_GROUPS, &map->table, &err) < 0) {
			log_warn("alias_maps: %s", err.text);
			map->table = NULL;
		}
		find_owner(local, map, name);
		local->map_count++;
	}
}

/* What an alias does without an owner of its own may touch neither the system nor the queue. */
static void find_default_user(struct local *local)
{
	const char *name = local->core->default_privs;
	const struct local_user *user = &local->default_user;
	struct err err;

	local->has_default_user =
	    identity_find(name, &local->arena, &local->default_user, &err) == 1;
	if (!local->has_default_user) {
		log_warn("default_privs: user \"%s\" is not known", name);
	} else if (identity_is_root() && (user->uid == 0 || user->gid == 0)) {
		log_warn("default_privs: user \"%s\" is privileged; it is not used", name);
		local->has_default_user = false;
	} else if (identity_is_root() && !strcmp(name, local->core->mail_owner)) {
		log_warn("default_privs: user \"%s\" is mail_owner; it is not used", name);
		local->has_default_user = false;
	}
}

void local_open(struct local *local)
{
	struct err err;

	find_default_user(local);
	if (identity_find(local->core->mail_owner, &local->arena, &local->mail_owner, &err) != 1 &&
	    identity_is_root())
		fatal("mail_owner: user \"%s\" is not known", local->core->mail_owner);
	open_maps(local);
	local->mailbox_commands =
	    table_chain_open(local->params.mailbox_command_maps, TABLE_FOLD_KEY);
	local->status_filter = table_chain_open(local->params.status_filter, 0);
	local->router = router_new(local->core, &local->route_params);
	local->mapper = mapper_open(local->core, &local->map_params, local->router);
	local->notifier = notifier_new();
	if (queue_open(
	        &local->queue_params, local->core->enable_long_queue_ids, &local->queue, &err) < 0)
		fatal("%s", err.text);
}

void local_close(struct local *local)
{
	for (size_t i = 0; i < local->map_count; i++)
		table_close(&local->maps[i].table);
	table_chain_close(&local->mailbox_commands);
	table_chain_close(&local->status_filter);
	mapper_close(&local->mapper);
	router_free(&local->router);
	notifier_free(&local->notifier);
	queue_close(&local->queue);
	arena_fini(&local->arena);
}
