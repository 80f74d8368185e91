/* SPDX-License-Identifier: ISC */
/* qshape(1): how old the mail is that waits, by domain. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "commands/qshape/shape.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/peer/listing.h"
#include "lib/queue/where.h"
#include "lib/service/command.h"
#include "lib/sys/fd.h"

enum { DEPTH_MAX = 5, PATH_SIZE = 1024 };

/* What a terminal needs to show the next table in the place of the last. */
static const char clear_screen[] = "\033[H\033[2J\033[3J";

struct qshape {
	struct command command;
	struct queue_params queue_params;
	struct queue *queue;
	struct shape shape;
	bool senders, terminal;
	int batch; /* messages between two tables on a terminal; 0: one at the end */
	unsigned long messages;
	int64_t arrival; /* of the message in hand */
};

static void usage(void) NORETURN;
static void usage(void)
{
	fatal_exit(EX_USAGE, "usage: qshape [-c config_dir] [-lps] [-b bucket_count] "
	                     "[-m min_subdomains] [-N batch_msg_count] [-n batch_top_domains] "
	                     "[-t bucket_time] [-w terminal_width] [queue_name ...]");
}

static void print(struct qshape *q)
{
	struct str out = {0};

	if (q->terminal && q->batch > 0)
		str_put_text(&out, clear_screen);
	shape_print(&q->shape, &out);
	if (fd_write_all(STDOUT_FILENO, out.data, out.len) < 0)
		fatal_exit(EX_IOERR, "output write error: %s", strerror(errno));
	str_fini(&out);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void count_message(struct qshape *q)
{
	if (++q->messages % (unsigned long)MAX(q->batch, 1) == 0 && q->terminal && q->batch > 0)
		print(q);
}

static bool begin(void *arg, const struct listing_message *m)
{
	struct qshape *q = arg;

	q->arrival = m->arrival;
	if (q->senders)
		shape_add(&q->shape, m->sender, m->arrival);
	return true;
}

static void rcpt(void *arg, const char *address, const char *reason UNUSED)
{
	struct qshape *q = arg;

	if (!q->senders)
		shape_add(&q->shape, address, q->arrival);
}

static bool end(void *arg)
{
	count_message(arg);
	return true;
}

static void read_queues(struct qshape *q, unsigned queues)
{
	const struct listing_reader reader = {.queues = queues,
	    .what = LISTING_RAW | (q->senders ? 0 : LISTING_RCPTS),
	    .begin = begin,
	    .rcpt = rcpt,
	    .end = end,
	    .arg = q};

	listing_read(q->queue, &reader);
}

static void read_file(struct qshape *q, const char *path)
{
	struct rcpt_cursor cursor = {0};
	struct listing_message shown = {0};
	struct arena arena = {0};
	struct recipient r;
	struct message m;
	struct err err;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	if (message_open_fd(fd, &m, &err) == 0) {
		shown.arrival = (int64_t)(m.env.arrival_us / 1000000);
		shown.sender = m.env.sender;
		begin(q, &shown);
		while (message_next_rcpt(&m, &cursor, &arena, &r, &err) == 1) {
			if (r.status == RCPT_TODO)
				rcpt(q, r.address, "");
			arena_reset(&arena);
		}
		end(q);
		message_close(&m);
	}
	arena_fini(&arena);
	close(fd);
}

/* A folder that is no queue of ours: of another instance, a copy, a part of one. */
static void read_folder(struct qshape *q, const char *path, int depth)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir) {
		log_warn("open directory %s: %s", path, strerror(errno));
		return;
	}
	while ((entry = readdir(dir))) {
		char child[PATH_SIZE];
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) >=
		        (int)sizeof(child) ||
		    lstat(child, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			read_folder(q, child, depth + 1);
		else if (S_ISREG(st.st_mode) && queue_id_valid(entry->d_name))
			read_file(q, child);
	}
	closedir(dir);
}

/* ---- command line --------------------------------------------------------------------------- */

static int number(const char *text, int min, int max)
{
	int n;

	if (!num_int(text, min, max, &n))
		fatal_exit(EX_USAGE, "\"%s\": expected a number from %d to %d", text, min, max);
	return n;
}

static double minutes(const char *text)
{
	char *rest;
	double n = strtod(text, &rest);

	if (rest == text || *rest || !(n > 0 && n < 1e9))
		fatal_exit(EX_USAGE, "\"%s\": expected a number of minutes", text);
	return n;
}

static void parse_options(struct qshape *q, struct shape_settings *set, int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "+b:c:hlm:N:n:pst:w:")) > 0) {
		switch (ch) {
		case 'b':
			set->buckets = number(optarg, 1, SHAPE_BUCKETS_MAX);
			break;
		case 'c':
			q->command.etc = optarg;
			break;
		case 'l':
			set->linear = true;
			break;
		case 'm':
			set->subdomains = number(optarg, 1, 1000000);
			break;
		case 'N':
			q->batch = number(optarg, 0, 1000000000);
			break;
		case 'n':
			set->top_domains = number(optarg, 0, 1000000000);
			break;
		case 'p':
			set->parents = true;
			break;
		case 's':
			q->senders = true;
			break;
		case 't':
			set->minutes = minutes(optarg);
			break;
		case 'w':
			set->width = MAX(set->width, number(optarg, 0, 10000));
			break;
		default:
			usage();
		}
	}
}

static void enter_queue(struct qshape *q)
{
	const struct conf_table *tables[] = {&queue_params, NULL};
	void *params[] = {&q->queue_params, NULL};
	struct err err;

	command_load(&q->command, tables, params);
	command_enter_queue(&q->command);
	command_become_owner(&q->command);
	if (queue_open(&q->queue_params, q->command.core.enable_long_queue_ids, &q->queue, &err) <
	    0)
		fatal_exit(EX_NOPERM, "%s", err.text);
}

int main(int argc, char **argv)
{
	static struct qshape q = {.batch = 1000};
	struct shape_settings set = {
	    .buckets = 10, .minutes = 5, .subdomains = 5, .width = 80, .top_domains = 20};
	unsigned queues = 0;

	command_begin(&q.command, "qshape");
	q.terminal = isatty(STDOUT_FILENO);
	parse_options(&q, &set, argc, argv);
	if (!q.terminal)
		set.top_domains = 0; /* for people alone */
	enter_queue(&q);
	shape_init(&q.shape, &set, time(NULL));
	for (argv += optind; *argv; argv++) {
		unsigned bit = where_queue_bit(*argv);

		if (!bit)
			read_folder(&q, *argv, 0);
		queues |= bit ? bit : 1U << 31;
	}
	queues = queues ? queues & WHERE_ALL : WHERE_INCOMING | WHERE_ACTIVE;
	if (queues)
		read_queues(&q, queues);
	print(&q);
	shape_fini(&q.shape);
	queue_close(&q.queue);
	return 0;
}
