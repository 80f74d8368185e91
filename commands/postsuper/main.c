/* SPDX-License-Identifier: ISC */
/* postsuper(1): deletes, holds, releases, requeues and expires messages; puts the queue in order.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/log.h"
#include "lib/peer/note.h"

enum { REQUESTS_MAX = 10000, DIRS_MAX = 16 };

static const struct {
	const char *name;
	unsigned bit; /* 0: log files */
} dirs[] = {{"incoming", WHERE_INCOMING}, {"active", WHERE_ACTIVE}, {"deferred", WHERE_DEFERRED},
    {"hold", WHERE_HOLD}, {"bounce", 0}, {"defer", 0}, {"trace", 0}, {"flush", 0},
    {"maildrop", WHERE_MAILDROP}};

struct request {
	enum op op;
	const char *id;      /* "-" : from standard input, "ALL" */
	struct where *where; /* instead of an id */
};

struct command_line {
	struct request requests[REQUESTS_MAX];
	size_t count;
	bool check, purge;
};

static void usage(void) NORETURN;
static void usage(void)
{
	fatal_exit(EX_USAGE, "usage: postsuper [-c config_dir] [-d queue_id (delete)] "
	                     "[-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] "
	                     "[-h queue_id (hold)] [-H queue_id (un-hold)] "
	                     "[-p (purge temporary files)] [-r queue_id (requeue)] "
	                     "[-s (structure fix)] [-S (redundant structure fix)] [-v (verbose)] "
	                     "[--dry-run] [-j (JSON)] [--wait] [queue...]; "
	                     "a queue_id is also \"-\", \"ALL\", or --where expression");
}

static enum op op_of(int letter)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (op_kinds[i].letter == letter)
			return (enum op)i;
	}
	usage();
}

/* ---- requests ------------------------------------------------------------------------------- */

static bool good_id(const char *id)
{
	bool good = queue_id_valid(id);

	if (!good)
		log_warn("invalid mail queue id: %s", id);
	return good;
}

static char *trimmed(char *line)
{
	char *end = line + strlen(line);

	line += strspn(line, " \t\r\n");
	while (end > line && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return line;
}

/* Each line is an id, and nothing else: what is not quite an id may have come to be by mistake. */
static void ids_from_input(struct postsuper *p, enum op op, struct map *ids)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		const char *id = trimmed(line);

		if (!good_id(id))
			continue;
		if (ids)
			map_put(ids, id, p);
		else
			apply_to_id(p, op, op_queues(p, op), id);
	}
	free(line);
	if (ferror(stdin))
		log_warn("read standard input: %s", strerror(errno));
}

/* What is to be shown has to be read, whatever selects it. */
static void run_shown(struct postsuper *p, const struct request *r)
{
	struct map *ids = NULL;

	if (!r->where && strcmp(r->id, "ALL") != 0) {
		ids = map_new();
		if (strcmp(r->id, "-") == 0)
			ids_from_input(p, r->op, ids);
		else if (good_id(r->id))
			map_put(ids, r->id, p);
	}
	apply_to_selected(p, r->op, r->where, ids);
	map_free(&ids, NULL);
}

static void run_request(struct postsuper *p, const struct request *r)
{
	if (r->where || p->dry_run || p->json)
		run_shown(p, r);
	else if (strcmp(r->id, "-") == 0)
		ids_from_input(p, r->op, NULL);
	else if (strcmp(r->id, "ALL") == 0)
		apply_to_all(p, r->op, op_queues(p, r->op));
	else if (good_id(r->id))
		apply_to_id(p, r->op, op_queues(p, r->op), r->id);
}

static void sum_up(const struct postsuper *p, unsigned asked)
{
	unsigned long counts[OP_COUNT];

	memcpy(counts, p->done, sizeof(counts));
	counts[OP_EXPIRE] += counts[OP_EXPIRE_RELEASE];
	counts[OP_RELEASE] += p->done_release;
	if (asked & 1U << OP_EXPIRE_RELEASE)
		asked = (asked | 1U << OP_EXPIRE | 1U << OP_RELEASE) & ~(1U << OP_EXPIRE_RELEASE);
	for (int i = 0; i < OP_COUNT; i++) {
		if (!(asked & 1U << i))
			continue;
		if (p->dry_run)
			fprintf(stderr,
			    "postsuper: %s: %lu message%s (dry run: nothing was changed)\n",
			    op_kinds[i].summary, counts[i], counts[i] == 1 ? "" : "s");
		else
			log_info("%s: %lu message%s", op_kinds[i].summary, counts[i],
			    counts[i] == 1 ? "" : "s");
	}
	if (p->dry_run)
		return;
	/* what is to be tried now should not wait for a timer */
	if (counts[OP_REQUEUE] > 0)
		trigger_send("public/pickup", 'W', 1000);
	if (counts[OP_RELEASE] > 0 || counts[OP_EXPIRE] > 0)
		trigger_send("public/qmgr", 'D', 1000);
}

/* ---- command line --------------------------------------------------------------------------- */

static void name_queues(struct postsuper *p, char **names, const char **dirs_out)
{
	size_t count = 0;

	p->named = *names != NULL;
	for (; *names && count < DIRS_MAX - 1; names++) {
		size_t i = 0;

		while (i < ARRAY_LEN(dirs) && strcmp(dirs[i].name, *names) != 0)
			i++;
		if (i == ARRAY_LEN(dirs))
			fatal_exit(EX_USAGE, "invalid directory name: %s", *names);
		p->queues |= dirs[i].bit;
		dirs_out[count++] = dirs[i].name;
	}
	for (size_t i = 0; count == 0 && i < ARRAY_LEN(dirs); i++)
		dirs_out[i] = dirs[i].name;
}

static void prepare(struct postsuper *p)
{
	const struct conf_table *tables[] = {&queue_params, NULL};
	void *params[] = {&p->queue_params, NULL};
	struct err err;

	command_load(&p->command, tables, params);
	if (!command_is_admin(&p->command))
		fatal_exit(EX_NOPERM, "use of this command is reserved for the superuser");
	command_open_log(&p->command);
	command_enter_queue(&p->command);
	command_become_owner(&p->command);
	if (queue_open(&p->queue_params, p->command.core.enable_long_queue_ids, &p->queue, &err) <
	    0)
		fatal_exit(EX_UNAVAILABLE, "%s", err.text);
}

/* "-d --where EXPRESSION" and "-d --where=EXPRESSION": in the place of an id. */
static const char *expression_of(const char *id, char **argv)
{
	static const char name[] = "--where";
	size_t len = sizeof(name) - 1;

	if (strncmp(id, name, len) != 0 || (id[len] && id[len] != '='))
		return NULL;
	if (id[len] == '=')
		return id + len + 1;
	if (!argv[optind])
		usage();
	return argv[optind++];
}

static void add_request(struct command_line *line, int letter, const char *id, char **argv)
{
	const char *expression = expression_of(id, argv);
	struct request *r = &line->requests[line->count];
	struct err err;

	if (line->count++ == REQUESTS_MAX)
		fatal_exit(EX_USAGE, "too many queue ids; use \"-\" and standard input");
	*r = (struct request){.op = op_of(letter), .id = id};
	if (expression && !(r->where = where_parse(expression, &err)))
		fatal_exit(EX_USAGE, "--where: %s", err.text);
}

static void parse_options(struct postsuper *p, struct command_line *line, int argc, char **argv)
{
	static const struct option names[] = {{.name = "dry-run", .val = 'n'},
	    {.name = "json", .val = 'j'}, {.name = "wait", .val = 'w'}, {.name = NULL}};
	int ch, verbose = 0;

	while ((ch = getopt_long(argc, argv, "+c:d:e:f:h:H:jpr:sSv", names, NULL)) > 0) {
		switch (ch) {
		case 'c':
			p->command.etc = optarg;
			break;
		case 'j':
			p->json = true;
			break;
		case 'n':
			p->dry_run = true;
			break;
		case 'w':
			p->wait = true;
			break;
		case 'p':
			line->purge = true;
			break;
		case 's':
		case 'S':
			line->check = true;
			break;
		case 'v':
			log_set_verbose(++verbose);
			break;
		case '?':
			usage();
		default:
			add_request(line, ch, optarg, argv);
		}
	}
	if ((p->dry_run || p->json) && (line->count == 0 || line->check || line->purge))
		fatal_exit(EX_USAGE, "--dry-run and -j go with -d, -e, -f, -h, -H and -r");
}

int main(int argc, char **argv)
{
	static struct command_line line;
	static struct postsuper p;
	const char *dir_list[DIRS_MAX] = {NULL};
	unsigned asked = 0;

	command_begin(&p.command, "postsuper");
	parse_options(&p, &line, argc, argv);
	name_queues(&p, argv + optind, dir_list);
	prepare(&p);
	if (line.count == 0 && !line.check && !line.purge)
		line.check = line.purge = true;
	if (line.purge)
		structure_purge(&p, dir_list);
	if (line.check)
		structure_check(&p, dir_list);
	for (size_t i = 0; i < line.count; i++) {
		asked |= 1U << line.requests[i].op;
		run_request(&p, &line.requests[i]);
		where_free(&line.requests[i].where);
	}
	sum_up(&p, asked);
	map_free(&p.journal, free);
	queue_close(&p.queue);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : EX_IOERR;
}
