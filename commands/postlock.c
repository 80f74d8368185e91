/* SPDX-License-Identifier: ISC */
/* postlock(1): runs a command while a mailbox file is locked, in the ways that local(8) locks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/service/command.h"
#include "lib/sys/boxlock.h"

struct postlock_params {
	const char *mailbox_delivery_lock;
	int lock_attempts, lock_delay, stale_lock_time;
	int fork_attempts, fork_delay;
};
#define ST struct postlock_params
static const struct conf_param rows[] = {
    CONF_TEXT(ST, mailbox_delivery_lock, "mailbox_delivery_lock", "fcntl, dotlock",
        "How a mailbox file is locked: fcntl, flock, dotlock."),
    CONF_INT(ST, lock_attempts, "deliver_lock_attempts", "20", 1, 0,
        "Most attempts to lock a mailbox file."),
    CONF_SECS(ST, lock_delay, "deliver_lock_delay", "1s", 1, 0,
        "Time between attempts to lock a mailbox file."),
    CONF_SECS(ST, stale_lock_time, "stale_lock_time", "500s", 1, 0,
        "A lock file that is older is removed."),
    CONF_INT(ST, fork_attempts, "fork_attempts", "5", 1, 0, "Most attempts to start a process."),
    CONF_SECS(
        ST, fork_delay, "fork_delay", "1s", 1, 0, "Time between attempts to start a process."),
};
static const struct conf_table postlock_table = {rows, ARRAY_LEN(rows)};

enum { LOCK_FCNTL = 1, LOCK_FLOCK = 2, LOCK_DOT = 4 };

struct box {
	const char *path;
	char *lock_path; /* NULL: there is no lock file of ours */
	int fd;
};

/* The command that the signals of a terminal or an administrator are for; 0: not yet. */
static volatile sig_atomic_t child;

static int styles_of(const char *text)
{
	static const struct {
		const char *name;
		int style;
	} names[] = {{"fcntl", LOCK_FCNTL}, {"flock", LOCK_FLOCK}, {"dotlock", LOCK_DOT}};
	int styles = 0;

	for (const char *at = text + strspn(text, ", \t\r\n"); *at; at += strspn(at, ", \t\r\n")) {
		struct slice word = slice_of(at, strcspn(at, ", \t\r\n"));
		int style = 0;

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (slice_eq(word, names[i].name))
				style = names[i].style;
		}
		if (!style)
			fatal_exit(EX_TEMPFAIL,
			    "unknown mailbox_delivery_lock value \"%.*s\" in \"%s\"",
			    SLICE_ARG(word), text);
		styles |= style;
		at += word.len;
	}
	if (!styles)
		fatal_exit(EX_TEMPFAIL, "mailbox_delivery_lock is empty: expected fcntl, flock or "
		                        "dotlock");
	return styles;
}

static void unlock(struct box *box)
{
	if (box->lock_path)
		unlink(box->lock_path);
	close(box->fd);
}

static void lock(struct box *box, int styles, const struct boxlock_patience *patience)
{
	struct stat st;

	if (styles & LOCK_DOT) {
		box->lock_path = alloc_printf("%s.lock", box->path);
		if (boxlock_file(box->lock_path, patience) < 0)
			fatal_exit(EX_TEMPFAIL, "open file %s: unable to create lock file %s: %s",
			    box->path, box->lock_path, strerror(errno));
	}
	box->fd = open(box->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (box->fd < 0 || fstat(box->fd, &st) < 0) {
		int code = errno;

		unlock(box);
		fatal_exit(
		    EX_TEMPFAIL, "open file %s: cannot open file: %s", box->path, strerror(code));
	}
	if ((styles & LOCK_FCNTL && boxlock_kernel(box->fd, false, patience) < 0) ||
	    (styles & LOCK_FLOCK && boxlock_kernel(box->fd, true, patience) < 0)) {
		unlock(box);
		fatal_exit(EX_TEMPFAIL, "open file %s: unable to lock for exclusive access: %s",
		    box->path, strerror(errno));
	}
}

/* The lock is ours until the command ends: it gets the signal, we wait. */
static void pass_on(int signum)
{
	if (child > 0)
		kill((pid_t)child, signum);
}

/*
 * A signal that comes meanwhile waits until there is somebody to have it: before the fork it would
 * be lost on us, and in the child on a function of ours.
 */
static pid_t start(char **argv, const struct postlock_params *p)
{
	static const int passed[] = {SIGTERM, SIGHUP};
	sigset_t set, before;
	pid_t pid = -1;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		sigaddset(&set, passed[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (int i = 0; i < p->fork_attempts && pid < 0; i++) {
		struct timespec delay = {p->fork_delay, 0};

		if (i > 0)
			nanosleep(&delay, NULL);
		pid = fork();
		if (pid == 0) {
			static const int restored[] = {
			    SIGPIPE, SIGXFSZ, SIGINT, SIGQUIT, SIGTERM, SIGHUP};

			for (size_t k = 0; k < ARRAY_LEN(restored); k++)
				signal(restored[k], SIG_DFL);
			sigprocmask(SIG_SETMASK, &before, NULL);
			execvp(argv[0], argv);
			fatal_exit(EX_TEMPFAIL, "execvp %s: %s", argv[0], strerror(errno));
		}
		if (pid < 0)
			log_warn("fork: %s", strerror(errno));
	}
	child = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int run(char **argv, const struct postlock_params *p)
{
	struct sigaction pass = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
	int status = 0;
	pid_t pid;

	sigaction(SIGTERM, &pass, NULL);
	sigaction(SIGHUP, &pass, NULL);
	signal(SIGINT, SIG_IGN); /* the terminal tells the command itself */
	signal(SIGQUIT, SIG_IGN);
	pid = start(argv, p);
	if (pid < 0)
		return EX_TEMPFAIL;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const struct conf_table *tables[] = {&postlock_table, NULL};
	struct postlock_params params;
	void *structs[] = {&params, NULL};
	struct boxlock_patience patience;
	static struct command command; /* live as long as the process */
	static struct box box;
	const char *style = NULL;
	int ch, verbose = 0, status;

	command_begin(&command, "postlock");
	command.bad_conf_status = EX_TEMPFAIL; /* 1 and others are the command's */
	while ((ch = getopt(argc, argv, "+c:l:v")) > 0) {
		if (ch == 'c')
			command.etc = optarg;
		else if (ch == 'l')
			style = optarg;
		else if (ch == 'v')
			verbose++;
		else
			break;
	}
	if (ch > 0 || argc - optind < 2)
		fatal_exit(EX_TEMPFAIL,
		    "usage: postlock [-c config_dir] [-l lock_style] [-v] folder command...");
	log_set_verbose(verbose);
	command_load(&command, tables, structs);
	patience = (struct boxlock_patience){
	    params.lock_attempts, params.lock_delay, params.stale_lock_time};
	box.path = argv[optind];
	lock(&box, styles_of(style ? style : params.mailbox_delivery_lock), &patience);
	status = run(argv + optind + 1, &params);
	unlock(&box);
	return status;
}
