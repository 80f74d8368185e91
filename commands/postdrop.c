/* SPDX-License-Identifier: ISC */
/*
 * postdrop(1): puts a message from standard input into maildrop/. It runs with the privilege of
 * setgid_group, so nothing of what comes in is believed: every record is decoded, bounded and
 * written anew, and who submits and when is filled in here.
 *
 * The file has its name from the start and becomes executable when it is whole; pickup looks at no
 * other. What is not finished is removed, by a signal as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/peer/maildrop.h"
#include "lib/peer/note.h"
#include "lib/queue/id.h"
#include "lib/service/command.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { FLUSH_AT = 128 * 1024, PATH_SIZE = 128 };

struct postdrop_params {
	const char *authorized_submit_users;
	int trigger_timeout;
};
static const struct conf_param rows[] = {
    CONF_TEXT(struct postdrop_params, authorized_submit_users, "authorized_submit_users",
        "static:anyone", "Users who may submit mail with sendmail and postdrop."),
    CONF_SECS(struct postdrop_params, trigger_timeout, "trigger_timeout", "10s", 1, 0,
        "Time limit for waking another process."),
};
static const struct conf_table postdrop_table = {rows, ARRAY_LEN(rows)};

struct drop {
	struct command command;
	struct postdrop_params params;
	uid_t uid;
	char path[PATH_SIZE];
	char id[QUEUE_ID_MAX];
	int fd;
	struct maildrop_reader reader;
	struct maildrop_writer writer;
	int64_t content_len;
	const char *reason; /* why not */
};

/* The one instance: the signal handler has no argument. */
static struct drop drop = {.fd = -1};

static void remove_unfinished(void)
{
	if (drop.path[0])
		unlink(drop.path);
}

static void on_signal(int signum)
{
	(void)signum;
	remove_unfinished();
	_exit(EX_TEMPFAIL);
}

/* What a terminal, a user, or a limit of his shell's ends a process with. */
static const int signals[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF};

static void block_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(how, &set, NULL);
}

static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		/* nohup(1) means it */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &act, NULL);
	}
	/* the caller may have blocked them, or set a timer before he started us */
	block_signals(SIG_UNBLOCK);
	/* no memory, for one */
	atexit(remove_unfinished);
}

/* Each step says what sendmail shall say and how it shall exit. */
static int refuse(struct drop *d, int status, const char *reason)
{
	d->reason = reason;
	return status;
}

static int write_failed(struct drop *d)
{
	log_warn("uid=%ld: %s", (long)d->uid, strerror(errno));
	return refuse(d, EX_TEMPFAIL, "queue file write error");
}

static int create_file(struct drop *d)
{
	int64_t now = clock_wall_us();
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "maildrop/%d.%ld", (int)(now % 1000000), (long)getpid());
	block_signals(SIG_BLOCK);
	d->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->fd < 0) {
		log_warn("mail_queue_enter: create file %s: %s", path, strerror(errno));
		block_signals(SIG_UNBLOCK);
		return refuse(d, EX_TEMPFAIL, "queue file write error");
	}
	strcpy(d->path, path);
	if (fstat(d->fd, &st) == 0) {
		/* the inode number makes the name unique */
		queue_id_make(
		    d->id, now, (uint64_t)st.st_ino, d->command.core.enable_long_queue_ids);
		snprintf(path, sizeof(path), "maildrop/%s", d->id);
		if (rename(d->path, path) == 0)
			strcpy(d->path, path);
		else
			d->id[0] = '\0';
	}
	block_signals(SIG_UNBLOCK);
	return d->id[0] ? 0 : write_failed(d);
}

static int flush(struct drop *d, size_t keep)
{
	struct str *out = &d->writer.out;

	if (out->len <= keep)
		return 0;
	if (fd_write_all(d->fd, out->data, out->len) < 0)
		return write_failed(d);
	str_clear(out);
	return 0;
}

static int malformed(struct drop *d, const char *what)
{
	log_warn("uid=%ld: malformed input: %s", (long)d->uid, what);
	return refuse(d, EX_DATAERR, "malformed input");
}

static int put_envelope(struct drop *d, struct maildrop_envelope *env)
{
	if (env->orig_id[0] || env->flags & MAILDROP_REQUEUE)
		return malformed(d, "the envelope");
	env->uid = (uint32_t)d->uid;
	env->time_us = (uint64_t)clock_wall_us();
	maildrop_put_envelope(&d->writer, env);
	return 0;
}

static int put_item(struct drop *d, struct maildrop_item *item)
{
	int64_t limit = d->command.core.message_size_limit;

	switch (item->type) {
	case MAILDROP_ENVELOPE:
		return put_envelope(d, &item->env);
	case MAILDROP_RCPT:
		maildrop_put_rcpt(&d->writer, &item->rcpt);
		return 0;
	case MAILDROP_CONTENT:
		d->content_len += (int64_t)item->content.len;
		if (limit > 0 && d->content_len > limit) {
			log_warn("uid=%ld: %s", (long)d->uid, strerror(EFBIG));
			return refuse(d, EX_UNAVAILABLE, "message file too big");
		}
		maildrop_put_content(&d->writer, item->content.data, item->content.len);
		return 0;
	default:
		maildrop_put_end(&d->writer);
		return 0;
	}
}

static int copy(struct drop *d)
{
	struct maildrop_item item = {0};
	struct arena arena = {0};
	struct err err;
	int status = 0;

	while (status == 0 && item.type != MAILDROP_END) {
		int rc = maildrop_read(&d->reader, STDIN_FILENO, &arena, &item, &err);

		if (rc < 0)
			status = malformed(d, err.text);
		else if (rc == 0)
			status = refuse(
			    d, EX_DATAERR, "the input ends too early"); /* sendmail gave up */
		else
			status = put_item(d, &item);
		if (status == 0)
			status = flush(d, item.type == MAILDROP_END ? 0 : FLUSH_AT);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	maildrop_reader_fini(&d->reader);
	if (status == 0 && d->writer.sum.rcpt_count == 0)
		status = refuse(d, EX_USAGE, "no recipients specified");
	return status;
}

/* Durable with its name: the group may not open the folder to sync it, but root may. */
static int seal(struct drop *d)
{
	int dir;

	if (fchmod(d->fd, 0744) < 0 || fsync(d->fd) < 0)
		return write_failed(d);
	dir = open("maildrop", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	d->path[0] = '\0'; /* from here on it stays */
	return 0;
}

static int take_message(struct drop *d)
{
	int status;

	if (!command_user_listed(
	        "authorized_submit_users", d->params.authorized_submit_users, d->uid)) {
		const struct passwd *user = getpwuid(d->uid);

		log_warn("User %s(%ld) is not allowed to submit mail",
		    user ? user->pw_name : "unknown", (long)d->uid);
		return refuse(d, EX_NOPERM, "not allowed to submit mail");
	}
	status = create_file(d);
	if (status == 0)
		status = copy(d);
	if (status == 0) {
		block_signals(SIG_BLOCK);
		status = seal(d);
	}
	if (status)
		remove_unfinished();
	return status;
}

static void answer(const struct drop *d, int status)
{
	struct maildrop_answer words = {
	    .status = (uint32_t)status, .id = d->id, .reason = d->reason};
	struct str out = {0};

	frame_encode(&out, MAILDROP_ANSWER, 0, &maildrop_answer_table, &words);
	fd_write_all(STDOUT_FILENO, out.data, out.len);
	str_fini(&out);
}

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&postdrop_table, NULL};
	void *params[] = {&drop.params};
	int status, ch, verbose = 0;

	command_begin(&drop.command, "postdrop");
	while ((ch = getopt(argc, argv, "+c:rv")) > 0) {
		if (ch == 'c')
			drop.command.etc = optarg;
		else if (ch == 'v')
			verbose++;
		else if (ch != 'r')
			fatal_exit(EX_USAGE, "usage: postdrop [-rv] [-c config_dir]");
	}
	drop.uid = getuid();
	log_set_verbose(drop.uid == 0 ? verbose : 0);
	umask(0);
	command_load(&drop.command, tables, params);
	command_open_log(&drop.command);
	command_enter_queue(&drop.command);
	catch_signals();
	status = take_message(&drop);
	answer(&drop, status);
	if (status == 0)
		trigger_send("public/pickup", 'W', drop.params.trigger_timeout * 1000);
	return status;
}
