/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "local/subst.h"

/*
 * "|command": a child in a session of its own, with the rights of the user for good, the message
 * on its standard input and a clean environment. What it prints (the first bytes) is kept for the
 * notice. All waiting is one ppoll that SIGCHLD interrupts; when the time is over the group is
 * killed.
 */
enum { OUTPUT_MAX = 1000, ENV_MAX = 64 };

struct child {
	pid_t pid;
	int in, out; /* our ends: its stdin, its stdout and stderr; -1 closed */
	struct content content;
	struct str piece; /* not yet written */
	size_t at;
	struct str output;
	int64_t deadline_ms;
	sigset_t old_mask;
};

/* ---- in the child ------------------------------------------------------------------------- */

struct start {
	const struct delivery *d;
	const char *command, *folder;
	const struct local_user *rights;
	char **env;
	int in, out;
	const sigset_t *mask;
};

static void child_fail(const char *what)
{
	dprintf(STDERR_FILENO, "4.3.0 %s: %s\n", what, strerror(errno));
	_exit(75);
}

static void NORETURN run_child(const struct start *s)
{
	static const int defaults[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGTERM, SIGALRM, SIGXFSZ};
	const char *shell = s->d->local->params.local_command_shell;
	const char *name;

	/* with no terminal, into which the user's command could type in root's name */
	setsid();
	if (dup2(s->in, STDIN_FILENO) < 0 || dup2(s->out, STDOUT_FILENO) < 0 ||
	    dup2(s->out, STDERR_FILENO) < 0)
		_exit(75);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		signal(defaults[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, s->mask, NULL);
	if (identity_become(s->rights) < 0)
		child_fail("change to the recipient's rights");
	/* without us the end of its input would look like the end of the message */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (*s->folder && chdir(s->folder) < 0)
		child_fail(s->folder);
	umask(077);
	if (!*shell)
		shell = "/bin/sh";
	name = strrchr(shell, '/');
	execle(shell, name ? name + 1 : shell, "-c", s->command, (char *)NULL, s->env);
	child_fail(shell);
	_exit(75);
}

/* ---- environment -------------------------------------------------------------------------- */

struct env {
	char *items[ENV_MAX];
	size_t count;
};

static void env_put(
    struct env *env, const struct delivery *d, const char *name, const char *value, bool filtered)
{
	if (!value || !*value || env->count + 1 >= ENV_MAX)
		return;
	if (filtered)
		value = subst_filter(value, d->local->params.command_expansion_filter, d->arena);
	env->items[env->count++] = arena_printf(d->arena, "%s=%s", name, value);
}

static void env_export(struct env *env, const struct delivery *d)
{
	const struct conf_list *names = &d->local->core->export_environment;

	for (size_t i = 0; i < names->count; i++) {
		const char *eq = strchr(names->items[i], '=');

		if (!eq)
			env_put(env, d, names->items[i], getenv(names->items[i]), false);
		else if (env->count + 1 < ENV_MAX)
			env->items[env->count++] = arena_strdup(d->arena, names->items[i]);
	}
}

static void env_build(struct env *env, const struct delivery *d, const struct local_user *user)
{
	const struct deliver_request *r = d->job->request;
	const struct {
		const char *name, *value;
	} filtered[] = {
	    {"USER", d->user},
	    {"LOGNAME", d->user},
	    {"EXTENSION", d->extension},
	    {"DOMAIN", d->domain},
	    {"LOCAL", d->local_part},
	    {"ORIGINAL_RECIPIENT", *d->original ? d->original : d->rcpt->address},
	    {"RECIPIENT", d->address},
	    {"SENDER", *d->sender ? d->sender : "MAILER-DAEMON"},
	    {"CLIENT_ADDRESS", r->client_addr},
	    {"CLIENT_HELO", r->helo},
	    {"CLIENT_HOSTNAME", r->client_name},
	    {"CLIENT_PROTOCOL", r->protocol},
	    {"SASL_METHOD", r->sasl_method},
	    {"SASL_USERNAME", r->sasl_username},
	};

	env->count = 0;
	env_put(env, d, "PATH", "/usr/bin:/bin", false);
	env_put(env, d, "SHELL", user->shell, false);
	env_put(env, d, "HOME", user->home, false);
	for (size_t i = 0; i < ARRAY_LEN(filtered); i++)
		env_put(env, d, filtered[i].name, filtered[i].value, true);
	env_export(env, d);
	env->items[env->count] = NULL;
}

/* ---- in the parent ------------------------------------------------------------------------ */

static void on_child(int signum)
{
	(void)signum; /* its only work is to end ppoll */
}

static int make_pipes(int in[2], int out[2])
{
	in[0] = in[1] = out[0] = out[1] = -1;
	return pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ? -1 : 0;
}

static int start_child(struct child *c, struct start *s)
{
	int in[2], out[2], code;

	if (make_pipes(in, out) == 0) {
		s->in = in[0];
		s->out = out[1];
		s->mask = &c->old_mask;
		c->pid = fork();
		if (c->pid == 0)
			run_child(s);
	}
	code = errno;
	fd_close(&in[0]);
	fd_close(&out[1]);
	c->in = in[1];
	c->out = out[0];
	if (c->pid <= 0) {
		fd_close(&c->in);
		fd_close(&c->out);
		errno = code;
		return -1;
	}
	fd_set_nonblock(c->in, true);
	fd_set_nonblock(c->out, true);
	return 0;
}

/* Writes what the pipe takes. A command that does not read is not in error. -1: our read failed. */
static int feed(struct child *c)
{
	ssize_t n;

	if (c->at == c->piece.len) {
		int got = content_next(&c->content, &c->piece);

		c->at = 0;
		if (got <= 0) {
			fd_close(&c->in);
			return got;
		}
	}
	if (c->at == c->piece.len)
		return 0;
	n = write(c->in, c->piece.data + c->at, c->piece.len - c->at);
	if (n > 0)
		c->at += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		fd_close(&c->in);
	return 0;
}

static void drain(struct child *c)
{
	char buf[4096];
	ssize_t n = read(c->out, buf, sizeof(buf));

	if (n > 0 && c->output.len < OUTPUT_MAX)
		str_put(&c->output, buf, MIN((size_t)n, OUTPUT_MAX - c->output.len));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		fd_close(&c->out);
}

/* What is in the pipe now; children of the command may keep it open for ever. */
static void drain_rest(struct child *c)
{
	struct pollfd pfd = {.fd = c->out, .events = POLLIN};

	while (c->out >= 0 && c->output.len < OUTPUT_MAX && poll(&pfd, 1, 0) > 0)
		drain(c);
}

/* 0 and the status; 1: out of time; -1 with errno: the message cannot be read. */
static int attend(struct child *c, int *status_out)
{
	for (;;) {
		struct pollfd pfds[2] = {
		    {.fd = c->in, .events = POLLOUT}, {.fd = c->out, .events = POLLIN}};
		int64_t left = c->deadline_ms - clock_mono_ms();
		struct timespec wait = {left / 1000, (left % 1000) * 1000000};
		int n;

		if (waitpid(c->pid, status_out, WNOHANG) == c->pid)
			return 0;
		if (left <= 0)
			return 1;
		n = ppoll(pfds, 2, &wait, &c->old_mask);
		if (n <= 0)
			continue;
		if (pfds[1].revents)
			drain(c);
		if (pfds[0].revents && feed(c) < 0)
			return -1;
	}
}

static void kill_child(struct child *c)
{
	int status;

	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		continue;
}

static const char *clean_output(struct child *c)
{
	drain_rest(c);
	for (size_t i = 0; i < c->output.len; i++)
		if ((unsigned char)c->output.data[i] < ' ' || c->output.data[i] == 127)
			c->output.data[i] = ' ';
	while (c->output.len && c->output.data[c->output.len - 1] == ' ')
		str_cut(&c->output, c->output.len - 1);
	return str_text(&c->output);
}

static void run(struct child *c, struct start *s, struct verdict *v)
{
	int status = 0, result;

	if (start_child(c, s) < 0) {
		verdict_set(v, OUTCOME_DEFERRED, "4.3.0", "start of command: %s", strerror(errno));
		return;
	}
	result = attend(c, &status);
	if (result == 0) {
		command_verdict(status, s->command, clean_output(c), v);
		return;
	}
	verdict_set(v, result > 0 ? OUTCOME_BOUNCED : OUTCOME_DEFERRED,
	    result > 0 ? "5.3.0" : "4.3.0",
	    result > 0 ? "Command time limit exceeded: \"%.200s\""
	               : "message cannot be read for command \"%.200s\"",
	    s->command);
	kill_child(c);
}

void command_deliver(const struct delivery *d, const char *command, const struct local_user *user,
    const struct local_user *rights, struct verdict *v)
{
	struct sigaction catch = {.sa_handler = on_child}, old_action;
	struct child c = {.in = -1, .out = -1};
	struct env env;
	struct start s = {.d = d, .command = command, .rights = rights, .env = env.items};
	sigset_t block;
	struct err err;

	if (agent_only_verifies(d->job)) {
		verdict_set(v, OUTCOME_SENT, "2.0.0", "delivers to command: %.500s", command);
		return;
	}
	s.folder = delivery_expand(d, user, d->local->params.command_execution_directory,
	    d->local->params.execution_directory_expansion_filter, &err);
	if (!s.folder) {
		verdict_set(
		    v, OUTCOME_DEFERRED, "4.3.5", "command_execution_directory: %s", err.text);
		return;
	}
	env_build(&env, d, user);
	local_put_prefix(d, "command", PREFIX_FROM_LINE | PREFIX_RETURN_PATH, &c.piece);
	content_init(&c.content, d->job->m, false);
	c.deadline_ms = clock_mono_ms() + 1000LL * d->local->params.command_time_limit;
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaction(SIGCHLD, &catch, &old_action);
	sigprocmask(SIG_BLOCK, &block, &c.old_mask);
	sigdelset(&c.old_mask, SIGCHLD);
	run(&c, &s, v);
	sigprocmask(SIG_SETMASK, &c.old_mask, NULL);
	sigaction(SIGCHLD, &old_action, NULL);
	fd_close(&c.in);
	fd_close(&c.out);
	content_fini(&c.content);
	str_fini(&c.piece);
	str_fini(&c.output);
}
