/* SPDX-License-Identifier: ISC */
/* postsuper(1): deletes, holds, releases, requeues and expires messages; puts the queue in order.
 */
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
	int letter;
	op_fn *fn;
	unsigned queues; /* when none are named */
	const char *summary;
} ops[OP_COUNT] = {
    [OP_REQUEUE] = {'r', op_requeue, IN_ALL, "Requeued"},
    [OP_DELETE] = {'d', op_delete, IN_ALL, "Deleted"},
    [OP_EXPIRE] = {'e', op_expire, IN_ALL, "Force-expired"},
    [OP_EXPIRE_RELEASE] = {'f', op_expire_release, IN_ALL, "Force-expired"},
    [OP_HOLD] = {'h', op_hold, IN_ALL & ~IN_HOLD, "Placed on hold"},
    [OP_RELEASE] = {'H', op_release, IN_HOLD, "Released from hold"},
};

static const struct {
	const char *name;
	unsigned bit; /* 0: log files, and what is not in the queue yet */
} dirs[] = {{"incoming", IN_INCOMING}, {"active", IN_ACTIVE}, {"deferred", IN_DEFERRED},
    {"hold", IN_HOLD}, {"bounce", 0}, {"defer", 0}, {"trace", 0}, {"flush", 0}, {"maildrop", 0}};

struct request {
	enum op op;
	const char *id; /* "-" : from standard input, "ALL" */
};

static void usage(void) NORETURN;
static void usage(void)
{
	fatal_exit(EX_USAGE, "usage: postsuper [-c config_dir] [-d queue_id (delete)] "
	                     "[-e queue_id (expire)] [-f queue_id (expire and/or un-hold)] "
	                     "[-h queue_id (hold)] [-H queue_id (un-hold)] "
	                     "[-p (purge temporary files)] [-r queue_id (requeue)] "
	                     "[-s (structure fix)] [-S (redundant structure fix)] [-v (verbose)] "
	                     "[queue...]");
}

static enum op op_of(int letter)
{
	for (int i = 0; i < OP_COUNT; i++) {
		if (ops[i].letter == letter)
			return (enum op)i;
	}
	usage();
}

static void one_id(struct postsuper *p, enum op op, const char *id)
{
	unsigned queues = p->queues ? p->queues : ops[op].queues;

	if (queue_id_valid(id))
		apply_to_id(p, op, ops[op].fn, queues, id);
	else
		log_warn("invalid mail queue id: %s", id);
}

static void ids_from_input(struct postsuper *p, enum op op)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		char *save = NULL, *id = strtok_r(line, " \t\r\n", &save);

		if (id)
			one_id(p, op, id);
	}
}

static void run_request(struct postsuper *p, const struct request *r)
{
	if (strcmp(r->id, "-") == 0)
		ids_from_input(p, r->op);
	else if (strcmp(r->id, "ALL") == 0)
		apply_to_all(p, r->op, ops[r->op].fn, p->queues ? p->queues : ops[r->op].queues);
	else
		one_id(p, r->op, r->id);
}

static void sum_up(const struct postsuper *p, unsigned asked)
{
	int counts[OP_COUNT];

	memcpy(counts, p->done, sizeof(counts));
	counts[OP_EXPIRE] += counts[OP_EXPIRE_RELEASE];
	counts[OP_RELEASE] += p->done_release;
	if (asked & 1U << OP_EXPIRE_RELEASE)
		asked = (asked | 1U << OP_EXPIRE | 1U << OP_RELEASE) & ~(1U << OP_EXPIRE_RELEASE);
	for (int i = 0; i < OP_COUNT; i++) {
		if (asked & 1U << i)
			log_info("%s: %d message%s", ops[i].summary, counts[i],
			    counts[i] == 1 ? "" : "s");
	}
	/* what is to be tried now should not wait for a timer */
	if (counts[OP_REQUEUE] > 0)
		trigger_send("public/pickup", 'W', 1000);
	if (counts[OP_RELEASE] > 0 || counts[OP_EXPIRE] > 0)
		trigger_send("public/qmgr", 'D', 1000);
}

static void name_queues(struct postsuper *p, char **names, const char **dirs_out)
{
	size_t count = 0;

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

int main(int argc, char **argv)
{
	static struct request requests[REQUESTS_MAX];
	static struct postsuper p;
	const char *dir_list[DIRS_MAX] = {NULL};
	size_t count = 0;
	bool check = false, purge = false;
	unsigned asked = 0;
	int ch, verbose = 0;

	command_begin(&p.command, "postsuper");
	while ((ch = getopt(argc, argv, "+c:d:e:f:h:H:pr:sSv")) > 0) {
		if (ch == '?')
			usage();
		if (ch == 'c')
			p.command.etc = optarg;
		else if (ch == 'p')
			purge = true;
		else if (ch == 's' || ch == 'S')
			check = true;
		else if (ch == 'v')
			log_set_verbose(++verbose);
		else if (count < REQUESTS_MAX)
			requests[count++] = (struct request){op_of(ch), optarg};
		else
			fatal_exit(EX_USAGE, "too many queue ids; use \"-\" and standard input");
	}
	name_queues(&p, argv + optind, dir_list);
	prepare(&p);
	if (count == 0 && !check && !purge)
		check = purge = true;
	if (purge)
		structure_purge(&p, dir_list);
	if (check)
		structure_check(&p, dir_list);
	for (size_t i = 0; i < count; i++) {
		asked |= 1U << requests[i].op;
		run_request(&p, &requests[i]);
	}
	sum_up(&p, asked);
	map_free(&p.journal, free);
	queue_close(&p.queue);
	return 0;
}
