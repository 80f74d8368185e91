/* SPDX-License-Identifier: ISC */
/* postconf: shows and edits the configuration. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/postconf/postconf.h"
#include "lib/base/log.h"
#include "lib/conf/template.h"

#define USAGE                                                                           \
	"usage: postconf [-dfhHnopvx] [-c config_dir] [-C class,...] [name...]\n"       \
	"       postconf [-e] [-c config_dir] name=value...\n"                          \
	"       postconf -#|-X [-c config_dir] name...\n"                               \
	"       postconf -M|-F|-P [-fhHx] [-c config_dir] [service[/type[/name]]...]\n" \
	"       postconf -M|-F|-P [-e] [-c config_dir] service/type[/name]=value...\n"  \
	"       postconf -M#|-MX|-PX [-c config_dir] service/type[/name]...\n"          \
	"       postconf -b|-t [-c config_dir] [template_file]\n"                       \
	"       postconf -k [-c config_dir]\n"                                          \
	"       postconf -a|-A|-l|-m\n"                                                 \
	"       postconf -T compile-version|run-version|public-key-algorithms"

struct options {
	char what;  /* 'p': main.cf; 'M', 'F', 'P': master.cf */
	char list;  /* 'a', 'A', 'l', 'm', 'T', or 0 */
	char *mode; /* of -T */
	bool check; /* -k */
	bool rows;  /* -K */
	char texts; /* 'b' or 't': texts of notices */
};

static const struct {
	const char *name;
	int class;
} classes[] = {
    {"builtin", CLASS_BUILTIN},
    {"service", CLASS_SERVICE},
    {"user", CLASS_USER},
    {"all", CLASS_ALL},
};

static int parse_classes(char *text)
{
	int result = 0;

	for (char *word; (word = strsep(&text, ", \t")) != NULL;) {
		bool known = *word == '\0';

		for (size_t i = 0; i < ARRAY_LEN(classes) && !known; i++) {
			known = strcmp(word, classes[i].name) == 0;
			if (known)
				result |= classes[i].class;
		}
		if (!known)
			fatal("-C %s: expected builtin, service, user or all", word);
	}
	return result;
}

static void take_one(char *at, char value)
{
	if (*at && *at != 'p' && *at != value)
		fatal("specify one of -%c -%c", *at, value);
	*at = value;
}

/* "name=value" of -o: kept until the configuration is loaded. */
struct overrides {
	char **texts;
	int count;
};

/* The options that say yes to something; NULL: not one of them. */
static bool *flag_of(struct postconf *pc, struct options *o, int option)
{
	const struct {
		int option;
		bool *flag;
	} flags[] = {
	    {'d', &pc->defaults},
	    {'f', &pc->fold},
	    {'h', &pc->no_names},
	    {'H', &pc->no_values},
	    {'k', &o->check},
	    {'K', &o->rows},
	    {'n', &pc->set_only},
	    {'x', &pc->expand},
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].option == option)
			return flags[i].flag;
	return NULL;
}

static void parse_option(
    struct postconf *pc, struct options *o, struct overrides *over, int option, char *arg)
{
	bool *flag = flag_of(pc, o, option);

	if (flag) {
		*flag = true;
		return;
	}
	switch (option) {
	case 'b':
	case 't':
		take_one(&o->texts, (char)option);
		break;
	case 'a':
	case 'A':
	case 'l':
	case 'm':
		take_one(&o->list, (char)option);
		break;
	case 'T':
		take_one(&o->list, 'T');
		o->mode = arg;
		break;
	case 'M':
	case 'F':
	case 'P':
		take_one(&o->what, (char)option);
		break;
	case 'p':
		break;
	case 'c':
		pc->etc = arg;
		pc->etc_given = true;
		break;
	case 'C':
		pc->classes = parse_classes(arg);
		break;
	case 'e':
		pc->edit = EDIT_SET;
		break;
	case '#':
		pc->edit = EDIT_COMMENT;
		break;
	case 'X':
		pc->edit = EDIT_REMOVE;
		break;
	case 'o':
		if (!strchr(arg, '='))
			fatal("-o %s: expected name=value", arg);
		over->texts[over->count++] = arg;
		break;
	case 'v':
		log_set_verbose(log_verbose() + 1);
		break;
	default:
		fprintf(stderr, "%s\n", USAGE);
		exit(1);
	}
}

static void check_options(struct postconf *pc, struct options *o, char **args, int count)
{
	bool master = o->what != 'p';

	if (pc->edit == EDIT_NONE && count > 0 && strchr(args[0], '='))
		pc->edit = EDIT_SET;
	if (pc->edit && (pc->defaults || pc->set_only || pc->expand || pc->fold || pc->no_names ||
	                    pc->no_values))
		fatal("an option that changes what is shown does not go with an edit");
	if (pc->edit && count == 0)
		fatal("%s", pc->edit == EDIT_SET ? "-e requires name=value" : "missing name");
	if (pc->defaults && pc->set_only)
		fatal("specify one of -d -n");
	if (master && (pc->defaults || pc->set_only))
		fatal("with option -%c, do not specify -%c", o->what, pc->defaults ? 'd' : 'n');
	if (o->what == 'M' && (pc->no_names || pc->no_values))
		fatal("with option -M, do not specify -%c", pc->no_names ? 'h' : 'H');
	if (o->what == 'F' && pc->edit && pc->edit != EDIT_SET)
		fatal("with option -F, do not specify -# or -X");
	if (o->what == 'P' && pc->edit == EDIT_COMMENT)
		fatal("with option -P, do not specify -#");
}

static void warn_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		log_warn("%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* -d asks for nothing of main.cf; everything else needs it whole. */
static void load(struct postconf *pc, const struct options *o, const struct overrides *over)
{
	struct err err;

	if (pc->defaults) {
		if (conf_load_text(pc->etc, "main.cf", "", 0, &pc->conf, &err) < 0)
			fatal("%s", err.text);
	} else if (conf_load(pc->etc, &pc->conf, &err) < 0) {
		fatal("%s", err.text);
	}
	if (pc->etc_given && !pc->defaults)
		conf_set(pc->conf, "config_directory", pc->etc, "-c");
	for (int i = 0; i < over->count; i++) {
		char *eq = strchr(over->texts[i], '=');

		*eq = '\0';
		conf_set(pc->conf, over->texts[i], eq + 1, "-o");
	}
	for (size_t i = 0; all_tables[i]; i++)
		conf_register(pc->conf, all_tables[i]);
	if (master_cf_load(pc->etc, &pc->services, &err) < 0) {
		if (o->what != 'p' || o->check)
			fatal("%s", err.text);
		if (!pc->defaults)
			log_warn("%s", err.text);
	}
	pc->names = conf_names_new(pc->conf, all_tables, &pc->services);
	warn_lines(conf_warnings(pc->conf));
	warn_lines(str_text(&pc->services.warnings));
}

static void warn_names(struct postconf *pc, int what)
{
	struct conf_report report = {0};

	conf_check_names(pc->conf, pc->names, &pc->services, what, &report);
	warn_lines(str_text(&report.warned));
	conf_report_fini(&report);
}

/* -k: every value against its table. */
static int check_values(struct postconf *pc)
{
	struct conf_report report = {0};
	int result = conf_check_values(pc->conf, all_tables, &report);
	const char *text = str_text(&report.text);

	while (*text) {
		size_t n = strcspn(text, "\n");

		log_error("%.*s", (int)n, text);
		text += n + (text[n] == '\n');
	}
	conf_report_fini(&report);
	return result < 0 ? 1 : 0;
}

/* -b: the texts of notices with $name expanded; -t: whole, as bounce_template_file may have them.
 */
static int show_templates(struct postconf *pc, char what, char **args, int count)
{
	const char *path = count > 0 ? args[0] : conf_get(pc->conf, "bounce_template_file");
	struct arena *arena = conf_arena(pc->conf);
	struct str problems = {0};
	struct template_set set;
	bool bad;

	if (count > 1)
		fatal("-%c: expected one template file", what);
	template_set_builtin(&set);
	if (*path)
		template_read(path, arena, &set, &problems);
	if (what == 'b') {
		template_expand(pc->conf, path, arena, &set, &problems);
		template_print_texts(pc->out, &set);
	} else {
		template_print_file(pc->out, &set);
	}
	bad = problems.len > 0;
	warn_lines(str_text(&problems));
	str_fini(&problems);
	return bad;
}

static void show(struct postconf *pc, const struct options *o, char **args, int count)
{
	switch (o->what) {
	case 'M':
		services_show_entries(pc, args, count);
		break;
	case 'F':
		services_show_fields(pc, args, count);
		break;
	case 'P':
		services_show_params(pc, args, count);
		break;
	default:
		show_params(pc, args, count);
		break;
	}
	if (!pc->defaults)
		warn_names(pc, CONF_CHECK_UNKNOWN | CONF_CHECK_DEPRECATED);
}

static void edit(struct postconf *pc, const struct options *o, char **args, int count)
{
	struct err err;
	int result = o->what == 'p' ? edit_main(pc, args, count, &err)
	                            : edit_services(pc, o->what, args, count, &err);

	if (result < 0)
		fatal("%s", err.text);
}

int main(int argc, char **argv)
{
	struct postconf pc = {.classes = CLASS_ALL, .out = stdout};
	struct options o = {.what = 'p'};
	struct overrides over = {.texts = calloc((size_t)argc, sizeof(char *))};
	int option, status = 0;

	log_set_tag(NULL, "postconf");
	if (!over.texts)
		fatal("out of memory");
	pc.etc = getenv("MAIL_CONFIG");
	pc.etc_given = pc.etc != NULL;
	while ((option = getopt(argc, argv, "aAbc:C:deFfhHkKlmMno:pPtT:vxX#")) > 0)
		parse_option(&pc, &o, &over, option, optarg);
	if (!pc.etc)
		pc.etc = "/etc/postfix";
	check_options(&pc, &o, argv + optind, argc - optind);
	if (o.list)
		list_print(o.list, o.mode, stdout);
	if (pc.edit) {
		edit(&pc, &o, argv + optind, argc - optind);
	} else if (o.rows) {
		list_rows(stdout);
	} else if (!o.list) {
		load(&pc, &o, &over);
		if (o.texts) {
			status = show_templates(&pc, o.texts, argv + optind, argc - optind);
		} else if (o.check) {
			warn_names(
			    &pc, CONF_CHECK_UNKNOWN | CONF_CHECK_EFFECT | CONF_CHECK_DEPRECATED);
			status = check_values(&pc);
		} else {
			show(&pc, &o, argv + optind, argc - optind);
		}
	}
	conf_names_free(&pc.names);
	conf_free(&pc.conf);
	master_cf_fini(&pc.services);
	free(over.texts);
	if (fflush(stdout) != 0 || ferror(stdout))
		fatal("write standard output: the result is not complete");
	return status;
}
