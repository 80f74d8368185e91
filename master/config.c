/* SPDX-License-Identifier: ISC */
#include "master/config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/service/scoreboard.h"
#include "lib/sys/fd.h"

enum { MAIN_CF_MAX = 16 * 1024 * 1024 };

void problems_init(struct problems *p)
{
	*p = (struct problems){.seen = map_new()};
}

void problems_fini(struct problems *p)
{
	str_fini(&p->text);
	map_free(&p->seen, NULL);
}

static void add_line(struct problems *p, const char *line)
{
	if (!*line || map_put(p->seen, line, p))
		return;
	str_printf(&p->text, "%s\n", line);
	p->count++;
}

void problems_add_lines(struct problems *p, const char *lines)
{
	char *copy = alloc_strdup(lines), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_line(p, line);
	free(copy);
}

void problems_add(struct problems *p, const char *fmt, ...)
{
	struct str line = {0};
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&line, fmt, ap);
	va_end(ap);
	problems_add_lines(p, str_text(&line));
	str_fini(&line);
}

void problems_each(const struct problems *p, void (*say)(const char *fmt, ...))
{
	char *copy = alloc_strdup(str_text(&p->text)), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		say("%s", line);
	free(copy);
}

/* The children's copy of main.cf: what is in this memory cannot be edited under their feet. */
static int keep_text(struct config *config, const struct str *text, struct err *err)
{
	config->text_fd = memfd_create("main.cf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (config->text_fd < 0 || fd_write_all(config->text_fd, str_text(text), text->len) < 0)
		return err_sys(err, "keep main.cf in memory");
	fcntl(config->text_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return 0;
}

static int load_main_cf(struct config *config, const char *etc, struct err *err)
{
	char *path = arena_printf(&config->arena, "%s/main.cf", etc);
	struct str text = {0};
	int rc = -1;

	if (fd_read_file(path, MAIN_CF_MAX, &text, err) == 0 &&
	    conf_load_text(etc, path, str_text(&text), text.len, &config->conf, err) == 0)
		rc = keep_text(config, &text, err);
	str_fini(&text);
	return rc;
}

/* master_service_disable: the last word that matches decides; "!" turns it around. */
static bool is_disabled(const struct config *config, const struct master_cf_entry *entry)
{
	const char *type = master_cf_type_name(entry->type);
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", entry->name, type);
	for (size_t i = 0; i < config->params.service_disable.count; i++) {
		const char *word = config->params.service_disable.items[i];
		bool negated = word[0] == '!';

		if (strcmp(word + negated, whole) == 0 || strcmp(word + negated, type) == 0)
			return !negated;
	}
	return false;
}

/* What Postfix runs as processes of their own and we do in a library (doc/architecture.md). */
static bool is_library(const char *command)
{
	return strcmp(command, "cleanup") == 0 || strcmp(command, "trivial-rewrite") == 0 ||
	       strcmp(command, "postlogd") == 0;
}

static void warn(struct config *config, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void warn(struct config *config, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&config->plan_warnings, fmt, ap);
	va_end(ap);
	str_put_char(&config->plan_warnings, '\n');
}

static const char *program_of(struct config *config, const struct master_cf_entry *entry)
{
	const char *path;

	if (is_library(entry->command))
		return NULL;
	path = arena_printf(&config->arena, "%s/%s", config->core.daemon_directory, entry->command);
	if (!strchr(entry->command, '/') && access(path, X_OK) == 0)
		return path;
	if (entry->type == MASTER_CF_INET) /* nobody listens where mail may be expected */
		warn(config,
		    "service %s/inet: program %s is not part of this version; "
		    "the entry is ignored",
		    entry->name, entry->command);
	else
		str_printf(&config->ignored, "%s %s/%s (%s)", config->ignored.len ? "," : "",
		    entry->name, master_cf_type_name(entry->type), entry->command);
	return NULL;
}

static void add_planned(struct config *config, const struct master_cf_entry *entry,
    const char *path, struct problems *p)
{
	struct planned *planned = &config->plan[config->plan_count];
	struct err err;

	*planned = (struct planned){.entry = entry, .path = path};
	if (endpoint_list(entry, &config->core, &config->arena, &planned->endpoints,
	        &planned->endpoint_count, &err) < 0)
		problems_add(
		    p, "%s/master.cf: line %d: %s", conf_etc(config->conf), entry->line, err.text);
	else
		config->plan_count++;
}

static void check_shared(struct config *config, struct problems *p)
{
	struct map *owner = map_new();

	for (size_t i = 0; i < config->plan_count; i++) {
		struct planned *planned = &config->plan[i];

		for (size_t k = 0; k < planned->endpoint_count; k++) {
			struct planned *other = map_put(owner, planned->endpoints[k].key, planned);

			if (other && other != planned)
				problems_add(p,
				    "%s/master.cf: line %d: service %s: %s is also that of line "
				    "%d: "
				    "expected a socket of its own",
				    conf_etc(config->conf), planned->entry->line,
				    planned->entry->name, planned->endpoints[k].key,
				    other->entry->line);
		}
	}
	map_free(&owner, NULL);
}

/* A chroot needs copies of what the C library reads when it looks up names. */
static void check_chroot(struct config *config)
{
	static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/services"};
	struct str missing = {0};
	bool any = false;

	for (size_t i = 0; i < config->plan_count; i++)
		any |= config->plan[i].entry->chroot;
	for (size_t i = 0; any && geteuid() == 0 && i < ARRAY_LEN(files); i++) {
		const char *copy =
		    arena_printf(&config->arena, "%s%s", config->core.queue_directory, files[i]);

		if (access(files[i], F_OK) == 0 && access(copy, F_OK) < 0)
			str_printf(&missing, " %s", files[i]);
	}
	if (missing.len > 0)
		warn(config,
		    "services with chroot = y look up names without what is not in %s: copy%s "
		    "there",
		    config->core.queue_directory, str_text(&missing));
	str_fini(&missing);
}

static void make_plan(struct config *config, struct problems *p)
{
	config->plan = arena_zero(&config->arena, config->cf.count + 1, sizeof(*config->plan));
	for (size_t i = 0; i < config->cf.count; i++) {
		const struct master_cf_entry *entry = &config->cf.entries[i];
		const char *path;

		if (is_disabled(config, entry))
			continue;
		path = program_of(config, entry);
		if (path)
			add_planned(config, entry, path, p);
	}
	check_shared(config, p);
	if (config->ignored.len > 0)
		str_printf(&config->plan_warnings,
		    "master.cf: entries whose programs are not part of this version are "
		    "ignored:%s\n",
		    str_text(&config->ignored));
	check_chroot(config);
}

static void fill(struct config *config, struct problems *p)
{
	struct conf_report report = {0};

	conf_fill(config->conf, &core_params, &config->core, &report);
	conf_fill(config->conf, &master_params, &config->params, &report);
	if (report.problems > 0)
		problems_add_lines(p, str_text(&report.text));
	conf_report_fini(&report);
	str_put_text(&config->warnings, conf_warnings(config->conf));
}

static void log_lines(const char *lines)
{
	struct problems p;

	problems_init(&p);
	problems_add_lines(&p, lines);
	problems_each(&p, log_warn);
	problems_fini(&p);
}

void config_log_plan_warnings(const struct config *config)
{
	log_lines(str_text(&config->plan_warnings));
	log_lines(str_text(&config->programs_say));
}

void config_log_warnings(const struct config *config)
{
	log_lines(str_text(&config->warnings));
	config_log_plan_warnings(config);
}

/*
 * The groups of mail_owner give it what other packages made for them: the sockets of saslauthd and
 * policy servers, for one. It is looked up here, once, because that costs more than all else that a
 * process does at its start.
 */
static void find_owner(struct config *config)
{
	const struct passwd *owner = geteuid() == 0 ? getpwnam(config->core.mail_owner) : NULL;
	gid_t groups[SERVICE_GROUPS_MAX];
	int count = ARRAY_LEN(groups);
	struct str text = {0};

	if (!owner)
		return;
	if (getgrouplist(config->core.mail_owner, owner->pw_gid, groups, &count) < 0) {
		log_warn(
		    "parameter mail_owner: user \"%s\" has more than %d groups: the others are "
		    "left out",
		    config->core.mail_owner, SERVICE_GROUPS_MAX);
		count = SERVICE_GROUPS_MAX;
	}
	str_printf(&text, "%u:", (unsigned)owner->pw_uid);
	for (int i = 0; i < count; i++)
		str_printf(&text, "%s%u", i ? "," : "", (unsigned)groups[i]);
	config->owner = arena_strdup(&config->arena, str_text(&text));
	str_fini(&text);
}

struct config *config_load(const char *etc, uint32_t generation, struct problems *p)
{
	struct config *config = alloc_zero(1, sizeof(*config));
	size_t before = p->count;
	struct err err;

	config->generation = generation;
	config->text_fd = -1;
	if (load_main_cf(config, etc, &err) < 0)
		problems_add(p, "%s", err.text);
	else
		fill(config, p);
	/* both files are looked at, whatever the other is like */
	if (master_cf_load(etc, &config->cf, &err) < 0)
		problems_add(p, "%s", err.text);
	else if (config->conf && p->count == before)
		make_plan(config, p);
	if (config->conf && p->count == before)
		find_owner(config);
	str_put_text(&config->warnings, str_text(&config->cf.warnings));
	if (p->count != before)
		config_free(&config);
	return config;
}

void config_free(struct config **config)
{
	struct config *c = *config;

	if (!c)
		return;
	master_cf_fini(&c->cf);
	fd_close(&c->text_fd);
	arena_fini(&c->arena);
	str_fini(&c->warnings);
	str_fini(&c->plan_warnings);
	str_fini(&c->programs_say);
	str_fini(&c->ignored);
	if (c->conf)
		conf_free(&c->conf);
	free(c);
	*config = NULL;
}
