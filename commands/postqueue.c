/* SPDX-License-Identifier: ISC */
/* postqueue(1): lists the queue and asks for delivery attempts. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/peer/note.h"
#include "lib/peer/showq.h"
#include "lib/queue/id.h"
#include "lib/queue/store.h"
#include "lib/service/command.h"
#include "lib/sys/net.h"

enum { CONNECT_MS = 10000, READ_CHUNK = 32 * 1024 };

struct postqueue_params {
	const char *authorized_mailq_users, *authorized_flush_users;
	int trigger_timeout;
};
static const struct conf_param rows[] = {
    CONF_TEXT(struct postqueue_params, authorized_mailq_users, "authorized_mailq_users",
        "static:anyone", "Users who may list the queue."),
    CONF_TEXT(struct postqueue_params, authorized_flush_users, "authorized_flush_users",
        "static:anyone", "Users who may ask for delivery of waiting mail."),
    CONF_SECS(struct postqueue_params, trigger_timeout, "trigger_timeout", "10s", 1, 0,
        "Time limit for waking another process."),
};
static const struct conf_table postqueue_table = {rows, ARRAY_LEN(rows)};

struct postqueue {
	struct command command;
	struct postqueue_params params;
	struct queue_params queue_params;
};

static const char usage[] = "usage: postqueue -f | postqueue -i queueid | postqueue -j | "
                            "postqueue -p | postqueue -s site";

static void require(const char *parameter, const char *list, const char *what)
{
	const struct passwd *user = getpwuid(getuid());

	if (!command_user_listed(parameter, list, getuid()))
		fatal_exit(EX_NOPERM, "User %s(%ld) is not allowed to %s",
		    user ? user->pw_name : "unknown", (long)getuid(), what);
}

/* ---- listings -------------------------------------------------------------------------------- */

struct look {
	void (*message)(struct look *look, const struct showq_message *m);
	void (*rcpt)(struct look *look, const struct showq_rcpt *r);
	void (*message_end)(struct look *look);
	void (*end)(struct look *look);
	bool long_ids;
	struct str last_reason; /* said once for all recipients that wait for it */
	unsigned long count, bytes, rcpts;
};

static void put_printable(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static void text_message(struct look *look, const struct showq_message *m)
{
	const char *mark = strcmp(m->queue_name, "active") == 0 ? "*"
	                   : strcmp(m->queue_name, "hold") == 0 ? "!"
	                                                        : "";
	time_t when = (time_t)m->time;
	char date[32] = "", id[QUEUE_ID_MAX * 2 + 4];
	struct tm tm;

	if (look->count++ == 0)
		puts(look->long_ids
		         ? "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
		         : "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------");
	look->bytes += (unsigned long)m->size;
	snprintf(id, sizeof(id), "%.80s%s%s", m->queue_id, mark, m->forced_expire ? "#" : "");
	if (localtime_r(&when, &tm))
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S ", &tm);
	printf(look->long_ids ? "%-17s %8ld %19.19s " : "%-11s %7ld %20.20s ", id, (long)m->size,
	    date);
	put_printable(m->sender);
	putchar('\n');
}

static void text_rcpt(struct look *look, const struct showq_rcpt *r)
{
	if (r->reason[0] && strcmp(r->reason, str_text(&look->last_reason)) != 0) {
		int indent = 76 - (int)strlen(r->reason);

		printf("%*s(", indent > 0 ? indent : 0, "");
		put_printable(r->reason);
		printf(")\n");
		str_clear(&look->last_reason);
		str_put_text(&look->last_reason, r->reason);
	}
	printf("%*s", look->long_ids ? 47 : 41, "");
	put_printable(r->address);
	putchar('\n');
}

static void text_message_end(struct look *look)
{
	str_clear(&look->last_reason);
	putchar('\n');
}

static void text_end(struct look *look)
{
	if (look->count == 0)
		printf("Mail queue is empty\n");
	else
		printf("-- %lu Kbytes in %lu Request%s.\n", look->bytes / 1024, look->count,
		    look->count == 1 ? "" : "s");
}

/* A string of RFC 8259; bytes above 127 pass as they are (UTF-8). */
static void put_json(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f')
			printf("\\%c", c == '\n'   ? 'n'
			               : c == '\t' ? 't'
			               : c == '\r' ? 'r'
			               : c == '\b' ? 'b'
			                           : 'f');
		else if (c < ' ' || c == 127)
			printf("\\u%04X", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_message(struct look *look, const struct showq_message *m)
{
	look->count++;
	look->rcpts = 0;
	printf("{\"queue_name\": ");
	put_json(m->queue_name);
	printf(", \"queue_id\": ");
	put_json(m->queue_id);
	printf(
	    ", \"arrival_time\": %lld, \"message_size\": %lld, \"forced_expire\": %s, \"sender\": ",
	    (long long)m->time, (long long)m->size, m->forced_expire ? "true" : "false");
	put_json(m->sender);
	printf(", \"recipients\": [");
}

static void json_rcpt(struct look *look, const struct showq_rcpt *r)
{
	printf("%s{\"address\": ", look->rcpts++ ? ", " : "");
	put_json(r->address);
	if (r->reason[0]) {
		printf(", \"delay_reason\": ");
		put_json(r->reason);
	}
	putchar('}');
}

static void json_message_end(struct look *look)
{
	(void)look;
	printf("]}\n");
}

static void json_end(struct look *look)
{
	(void)look;
}

/* Reads the protocol from fd and shows it. 0; -1 when it ends early or makes no sense. */
static int show(int fd, struct look *look)
{
	struct showq_reader reader = {0};
	enum showq_event event = SHOWQ_MORE;
	bool in_message = false;
	char buf[READ_CHUNK];

	while (event != SHOWQ_END && event != SHOWQ_BAD) {
		ssize_t n;

		event = showq_next(&reader);
		if (in_message && (event == SHOWQ_MESSAGE || event == SHOWQ_END)) {
			look->message_end(look);
			in_message = false;
		}
		if (event == SHOWQ_MESSAGE) {
			in_message = true;
			look->message(look, &reader.message);
		} else if (event == SHOWQ_RCPT) {
			look->rcpt(look, &reader.rcpt);
		}
		if (event != SHOWQ_MORE)
			continue;
		do {
			n = read(fd, buf, sizeof(buf));
		} while (n < 0 && errno == EINTR);
		if (n <= 0)
			break;
		showq_feed(&reader, buf, (size_t)n);
	}
	showq_reader_fini(&reader);
	if (event != SHOWQ_END)
		return -1;
	look->end(look);
	return 0;
}

static int run_showq(const struct postqueue *q, pid_t *pid_out)
{
	char *path = alloc_printf("%s/showq", q->command.core.daemon_directory);
	char name[] = "showq", alone[] = "-S", named[] = "-n", typed[] = "-t", type[] = "unix";
	char *argv[] = {name, alone, named, name, typed, type, NULL};
	int pair[2];
	/* mail_owner may have no way to it: a build in the home of root */
	int program = open(path, O_PATH | O_CLOEXEC);

	if (program < 0)
		fatal_exit(EX_OSFILE, "open %s: %s", path, strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		fatal_exit(EX_OSERR, "socketpair: %s", strerror(errno));
	fflush(stdout);
	*pid_out = fork();
	if (*pid_out < 0)
		fatal_exit(EX_OSERR, "fork: %s", strerror(errno));
	if (*pid_out == 0) {
		dup2(pair[1], STDIN_FILENO);
		close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		command_become_owner(&q->command);
		fexecve(program, argv, environ);
		fatal_exit(EX_OSFILE, "unable to execute %s: %s", path, strerror(errno));
	}
	free(path);
	close(program);
	close(pair[1]);
	return pair[0];
}

static int list_queue(struct postqueue *q, struct look *look)
{
	struct err err;
	pid_t pid = 0;
	int status = 0, fd, rc;

	require("authorized_mailq_users", q->params.authorized_mailq_users, "view the mail queue");
	fd = net_connect_unix("public/showq", CONNECT_MS, &err);
	if (fd < 0 && !command_is_admin(&q->command))
		fatal_exit(EX_UNAVAILABLE, "Queue report unavailable - mail system is down (%s)",
		    err.text);
	if (fd < 0) {
		log_warn("Mail system is down -- accessing queue directly (%s)", err.text);
		fd = run_showq(q, &pid);
	}
	rc = show(fd, look);
	str_fini(&look->last_reason);
	close(fd);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status != 0)
		log_warn("showq ended with status %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (rc < 0)
		fatal_exit(EX_SOFTWARE, "malformed showq server response");
	if (fflush(stdout) != 0 || ferror(stdout))
		fatal_exit(EX_IOERR, "output write error: %s", strerror(errno));
	return 0;
}

static int list_text(struct postqueue *q, const char *arg UNUSED)
{
	struct look look = {.message = text_message,
	    .rcpt = text_rcpt,
	    .message_end = text_message_end,
	    .end = text_end,
	    .long_ids = q->command.core.enable_long_queue_ids};

	return list_queue(q, &look);
}

static int list_json(struct postqueue *q, const char *arg UNUSED)
{
	struct look look = {.message = json_message,
	    .rcpt = json_rcpt,
	    .message_end = json_message_end,
	    .end = json_end};

	return list_queue(q, &look);
}

/* ---- delivery attempts
 * --------------------------------------------------------------------------- */

static void require_flush(const struct postqueue *q)
{
	require("authorized_flush_users", q->params.authorized_flush_users, "flush the mail queue");
}

static int wake_qmgr(const struct postqueue *q, char what)
{
	return trigger_send("public/qmgr", what, q->params.trigger_timeout * 1000);
}

static int flush_all(struct postqueue *q, const char *arg UNUSED)
{
	require_flush(q);
	if (wake_qmgr(q, 'F') < 0)
		fatal_exit(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
	trigger_send("public/pickup", 'W', q->params.trigger_timeout * 1000);
	return 0;
}

static int flush_id(struct postqueue *q, const char *id)
{
	char path[256];
	struct queue *queue;
	struct err err;
	char what = 'D';

	require_flush(q);
	if (!queue_id_valid(id))
		fatal_exit(EX_USAGE, "Cannot flush queue ID - invalid name: \"%.100s\"", id);
	if (queue_open(&q->queue_params, q->command.core.enable_long_queue_ids, &queue, &err) < 0) {
		if (err.code != EACCES)
			fatal_exit(EX_UNAVAILABLE, "Cannot flush queue ID: %s", err.text);
		return flush_all(q, id);
	}
	/* a retry time that is past makes the next scan of deferred/ take it */
	queue_path(queue, "deferred", id, path, sizeof(path));
	/* who may not set it has all of the queue tried, this message among it */
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0 && errno == EACCES)
		what = 'F';
	queue_close(&queue);
	if (wake_qmgr(q, what) < 0)
		fatal_exit(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
	return 0;
}

static bool site_valid(const char *site)
{
	size_t len = strspn(site, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                          ".-_:[]");

	return len > 0 && !site[len] && strlen(site) < 256;
}

/* Without a record per destination the whole queue is tried: slower, and as complete. */
static int flush_site(struct postqueue *q, const char *site)
{
	if (!site_valid(site))
		fatal_exit(EX_USAGE, "Cannot flush mail queue - invalid destination: \"%.100s%s\"",
		    site, strlen(site) > 100 ? "..." : "");
	return flush_all(q, site);
}

static const struct {
	int letter;
	int (*run)(struct postqueue *q, const char *arg);
} modes[] = {
    {'p', list_text}, {'j', list_json}, {'f', flush_all}, {'i', flush_id}, {'s', flush_site}};

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&postqueue_table, &queue_params, NULL};
	static struct postqueue q;
	void *params[] = {&q.params, &q.queue_params, NULL};
	const char *arg = NULL;
	int mode = 0, verbose = 0, ch;

	command_begin(&q.command, "postqueue");
	while ((ch = getopt(argc, argv, "+c:fi:jps:v")) > 0) {
		if (ch == 'c') {
			q.command.etc = optarg;
		} else if (ch == 'v') {
			verbose++;
		} else if (ch == '?' || mode) {
			fatal_exit(EX_USAGE, "%s", usage);
		} else {
			mode = ch;
			arg = optarg;
		}
	}
	if (!mode || argv[optind])
		fatal_exit(EX_USAGE, "%s", usage);
	log_set_verbose(getuid() == 0 ? verbose : 0);
	command_load(&q.command, tables, params);
	command_enter_queue(&q.command);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (modes[i].letter == mode)
			return modes[i].run(&q, arg);
	}
	return EX_USAGE;
}
