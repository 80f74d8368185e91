/* SPDX-License-Identifier: ISC */
/* postmap(1) and postalias(1): make, change, list and ask lookup tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/postmap/message.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/conf/conf.h"
#include "lib/conf/core.h"
#include "lib/table/build.h"
#include "lib/table/table.h"

enum { INPUT_MAX = 1 << 30 };

struct postmap {
	struct build_options options;
	const char *etc;
	const char *query, *remove;
	bool add, list;
	bool headers, body, mime; /* -h, -b, -m */
	char *default_type;
	char **names; /* "type:name" */
	struct table **tables;
	size_t count;
	bool found;
};

static NORETURN void usage(bool alias)
{
	fatal("usage: %s [-%s] [-c config_dir] [-d key] [-q key] [map_type:]file...",
	    alias ? "postalias" : "postmap", alias ? "finNoprsuvw" : "bfFhimnNoprsuUvw");
}

/* Without a main.cf at the usual place, the built-in defaults do; a folder that was named counts.
 */
static void load_config(struct postmap *pm)
{
	const char *etc = pm->etc ? pm->etc : getenv("MAIL_CONFIG");
	char *main_cf;
	struct conf *conf;
	uint64_t size;
	struct err err;
	const char *text;

	pm->default_type = alloc_strdup("lmdb");
	if (!etc || !*etc) {
		etc = "/etc/postfix";
		main_cf = alloc_printf("%s/main.cf", etc);
		if (access(main_cf, F_OK) < 0) {
			free(main_cf);
			return;
		}
		free(main_cf);
	}
	if (conf_load(etc, &conf, &err) < 0)
		fatal("%s", err.text);
	conf_register(conf, &core_params);
	text = conf_get(conf, "default_database_type");
	if (*text) {
		free(pm->default_type);
		pm->default_type = alloc_strdup(text);
	}
	text = conf_get(conf, "lmdb_map_size");
	if (num_u64(text, strlen(text), (uint64_t)1 << 45, &size))
		pm->options.map_size = size;
	conf_free(&conf);
}

static bool flag_option(int option, struct postmap *pm)
{
	const struct {
		int option;
		bool *flag;
	} flags[] = {
	    {'b', &pm->body},
	    {'f', &pm->options.keep_case},
	    {'F', &pm->options.files},
	    {'h', &pm->headers},
	    {'i', &pm->add},
	    {'m', &pm->mime},
	    {'n', &pm->options.no_zero},
	    {'o', &pm->options.keep_privilege},
	    {'p', &pm->options.plain_mode},
	    {'s', &pm->list},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (flags[i].option == option)
			return *flags[i].flag = true;
	}
	return false;
}

static void parse_options(struct postmap *pm, int argc, char **argv)
{
	bool alias = pm->options.alias;
	int option;

	while ((option = getopt(
	            argc, argv, alias ? "c:d:finNopq:rsuvw" : "bc:d:fFhimnNopq:rsuUvw")) > 0) {
		if (flag_option(option, pm))
			continue;
		switch (option) {
		case 'c':
			pm->etc = optarg;
			break;
		case 'd':
			pm->remove = optarg;
			break;
		case 'N':
			pm->options.no_zero = false;
			break;
		case 'q':
			pm->query = optarg;
			break;
		case 'r':
			pm->options.duplicates = BUILD_REPLACE;
			break;
		case 'w':
			pm->options.duplicates = BUILD_IGNORE;
			break;
		case 'v':
			log_set_verbose(log_verbose() + 1);
			break;
		case 'u': /* keys and values are bytes here, with or without UTF-8 */
		case 'U':
			break;
		default:
			usage(alias);
		}
	}
	if (optind == argc || (pm->query && pm->remove) ||
	    (pm->add + pm->list + (pm->query != NULL) + (pm->remove != NULL)) > 1)
		usage(alias);
	if ((pm->headers || pm->body) && (!pm->query || strcmp(pm->query, "-") != 0))
		fatal("specify -b or -h only with \"-q -\"");
	if (pm->mime && !pm->headers && !pm->body)
		fatal("specify -m only with -b or -h");
}

static void set_names(struct postmap *pm, char **names)
{
	for (; *names; names++) {
		char *name = strchr(*names, ':') ? alloc_strdup(*names)
		                                 : alloc_printf("%s:%s", pm->default_type, *names);

		pm->names = alloc_array(pm->names, pm->count + 1, sizeof(*pm->names));
		pm->names[pm->count++] = name;
	}
}

static void open_tables(struct postmap *pm)
{
	struct err err;

	pm->tables = alloc_zero(pm->count, sizeof(struct table *));
	for (size_t i = 0; i < pm->count; i++) {
		if (table_open(pm->names[i], pm->options.keep_case ? 0 : TABLE_FOLD_KEY,
		        &pm->tables[i], &err) < 0)
			fatal("%s", err.text);
	}
}

static void print_value(const struct postmap *pm, const char *key, const struct str *value)
{
	struct str decoded = {0};

	if (key)
		printf("%s%s\t", key, pm->options.alias ? ":" : "");
	if (pm->options.files && base64_decode(&decoded, str_text(value), value->len) < 0)
		fatal("the value of %s is not base64", key ? key : pm->query);
	if (pm->options.files)
		fwrite(str_text(&decoded), 1, decoded.len, stdout);
	else
		fwrite(str_text(value), 1, value->len, stdout);
	putchar('\n');
	str_fini(&decoded);
}

/* Asks the tables in turn; with_key says whether the key is printed, too. */
static bool ask(struct postmap *pm, const char *key, bool with_key)
{
	struct str value = {0};
	bool found = false;
	struct err err;

	for (size_t i = 0; i < pm->count && !found; i++) {
		enum table_answer answer = table_get(pm->tables[i], key, &value, &err);

		if (answer == TABLE_ERROR)
			fatal("query error: %s", err.text);
		found = answer == TABLE_FOUND;
		if (found && value.len == 0)
			log_warn("%s: the value of %s is empty", pm->names[i], key);
	}
	if (found)
		print_value(pm, with_key ? key : NULL, &value);
	str_fini(&value);
	return found;
}

static void ask_found(void *arg, const char *key)
{
	struct postmap *pm = arg;

	if (ask(pm, key, true))
		pm->found = true;
}

static void each_input_line(void (*fn)(void *arg, const char *line), void *arg)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) >= 0) {
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		fn(arg, line);
	}
	if (ferror(stdin))
		fatal("read standard input: %s", strerror(errno));
	free(line);
}

static void message_key_line(void *arg, const char *line)
{
	message_line(arg, line);
}

static bool query_all(struct postmap *pm)
{
	struct message message = {.headers = pm->headers,
	    .body = pm->body,
	    .mime = pm->mime,
	    .key = ask_found,
	    .arg = pm};

	open_tables(pm);
	if (strcmp(pm->query, "-") != 0)
		return ask(pm, pm->query, false);
	if (pm->headers || pm->body) {
		each_input_line(message_key_line, &message);
		message_end(&message);
	} else {
		each_input_line(ask_found, pm);
	}
	return pm->found;
}

static void list_all(struct postmap *pm)
{
	struct str key = {0}, value = {0};
	struct err err;
	int rc;

	open_tables(pm);
	for (size_t i = 0; i < pm->count; i++) {
		for (bool first = true;
		     (rc = table_next(pm->tables[i], first, &key, &value, &err)) == 1;
		     first = false)
			print_value(pm, str_text(&key), &value);
		if (rc < 0)
			fatal("%s", err.text);
	}
	str_fini(&key);
	str_fini(&value);
}

static void read_input(struct str *text)
{
	char buf[65536];
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0) {
		if (text->len + n > INPUT_MAX)
			fatal("standard input is larger than %d bytes", INPUT_MAX);
		str_put(text, buf, n);
	}
	if (ferror(stdin))
		fatal("read standard input: %s", strerror(errno));
}

static void add_all(struct postmap *pm)
{
	struct str text = {0};
	struct err err;

	read_input(&text);
	for (size_t i = 0; i < pm->count; i++) {
		if (build_add(pm->names[i], slice_of(str_text(&text), text.len), "standard input",
		        &pm->options, &err) < 0)
			fatal("%s", err.text);
	}
	str_fini(&text);
}

struct keys {
	const struct postmap *pm;
	char **texts;
	struct slice *items; /* the same */
	size_t count;
};

static void add_key(void *arg, const char *line)
{
	struct keys *keys = arg;
	char *key = alloc_strdup(line);

	if (!keys->pm->options.keep_case)
		text_lower(key);
	keys->texts = alloc_array(keys->texts, keys->count + 1, sizeof(*keys->texts));
	keys->items = alloc_array(keys->items, keys->count + 1, sizeof(*keys->items));
	keys->texts[keys->count] = key;
	keys->items[keys->count++] = slice_text(key);
}

static bool remove_all(struct postmap *pm)
{
	struct build_options options = pm->options;
	struct keys keys = {.pm = pm};
	bool any = false;
	struct err err;

	options.alias = false; /* taking an entry out is not making the table */
	if (strcmp(pm->remove, "-") == 0)
		each_input_line(add_key, &keys);
	else
		add_key(&keys, pm->remove);
	for (size_t i = 0; i < pm->count; i++) {
		size_t removed;

		if (build_remove(pm->names[i], keys.items, keys.count, &options, &removed, &err) <
		    0)
			fatal("%s", err.text);
		any = any || removed > 0;
	}
	for (size_t i = 0; i < keys.count; i++)
		free(keys.texts[i]);
	free(keys.texts);
	free(keys.items);
	return any;
}

static void build_all(struct postmap *pm)
{
	struct err err;

	for (size_t i = 0; i < pm->count; i++) {
		if (build_index(pm->names[i], &pm->options, &err) < 0)
			fatal("%s", err.text);
	}
}

int main(int argc, char **argv)
{
	static struct postmap pm;
	const char *self = strrchr(argv[0], '/');
	int status = 0;

	self = self ? self + 1 : argv[0];
	pm.options.alias = strcmp(self, "postalias") == 0;
	log_set_tag(NULL, pm.options.alias ? "postalias" : "postmap");
	opterr = 0;
	parse_options(&pm, argc, argv);
	load_config(&pm);
	set_names(&pm, argv + optind);
	if (pm.query)
		status = query_all(&pm) ? 0 : 1;
	else if (pm.remove)
		status = remove_all(&pm) ? 0 : 1;
	else if (pm.list)
		list_all(&pm);
	else if (pm.add)
		add_all(&pm);
	else
		build_all(&pm);
	if (fflush(stdout) != 0)
		fatal("write standard output: %s", strerror(errno));
	return status;
}
