/* SPDX-License-Identifier: ISC */
#include "lib/sys/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

enum { COMPLAINT_MAX = 200, LINGER_MS = 20 };

struct run {
	pid_t pid;
	int out, complaint; /* our ends of its standard output and error; -1: closed */
	struct str *text;
	struct str said; /* on standard error */
	size_t max;
	int64_t deadline_ms;
};

static NORETURN void child(char *const argv[], char *const envp[], int out, int complaint)
{
	static const int defaults[] = {SIGPIPE, SIGCHLD, SIGHUP, SIGTERM, SIGALRM, SIGINT};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	setsid();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(complaint, STDERR_FILENO) < 0)
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		signal(defaults[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(argv[0], argv, envp);
	dprintf(STDERR_FILENO, "%s", strerror(errno));
	_exit(127);
}

static int start(struct run *run, char *const argv[], char *const envp[], struct err *err)
{
	int out[2], complaint[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(err, "%s: pipe", argv[0]);
	if (pipe2(complaint, O_CLOEXEC) < 0) {
		err_sys(err, "%s: pipe", argv[0]);
		goto fail;
	}
	run->pid = fork();
	if (run->pid == 0)
		child(argv, envp, out[1], complaint[1]);
	if (run->pid < 0)
		err_sys(err, "%s: fork", argv[0]);
	close(complaint[1]);
	if (run->pid < 0) {
		close(complaint[0]);
		goto fail;
	}
	close(out[1]);
	run->out = out[0];
	run->complaint = complaint[0];
	return 0;
fail:
	close(out[0]);
	close(out[1]);
	return -1;
}

/* false: nothing more comes from there. */
static bool take(int *fd, struct str *to)
{
	char buf[4096];
	ssize_t got = read(*fd, buf, sizeof(buf));

	if (got > 0)
		str_put(to, buf, (size_t)got);
	else if (got == 0 || errno != EINTR)
		fd_close(fd);
	return *fd >= 0;
}

/* Until it has closed both, or time or size are over. */
static int collect(struct run *run, const char *program, struct err *err)
{
	while (run->out >= 0 || run->complaint >= 0) {
		struct pollfd fds[2] = {{run->out, POLLIN, 0}, {run->complaint, POLLIN, 0}};
		int64_t left = run->deadline_ms - clock_mono_ms();

		if (left <= 0)
			return err_set(err, ETIMEDOUT, "%s: takes too long", program);
		if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
			return err_sys(err, "%s: poll", program);
		if (run->out >= 0 && fds[0].revents)
			take(&run->out, run->text);
		if (run->complaint >= 0 && fds[1].revents)
			take(&run->complaint, &run->said);
		if (run->text->len > run->max)
			return err_set(err, EFBIG, "%s: prints too much", program);
	}
	return 0;
}

/* Its end, which may come after that of its output. */
static int await_end(struct run *run, const char *program, int *status_out, struct err *err)
{
	for (;;) {
		pid_t got = waitpid(run->pid, status_out, WNOHANG);

		if (got == run->pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return err_sys(err, "%s: wait", program);
		if (clock_mono_ms() >= run->deadline_ms)
			return err_set(err, ETIMEDOUT, "%s: takes too long", program);
		poll(NULL, 0, LINGER_MS);
	}
}

static int judge(const struct run *run, const char *program, int status, struct err *err)
{
	size_t len = strcspn(str_text(&run->said), "\r\n");
	const char *colon = len ? ": " : "";

	if (WIFSIGNALED(status))
		return err_set(err, 0, "%s: killed by signal %d%s%.*s", program, WTERMSIG(status),
		    colon, (int)len, str_text(&run->said));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, 0, "%s: exit status %d%s%.*s", program, WEXITSTATUS(status),
		    colon, (int)len, str_text(&run->said));
	return 0;
}

int capture_run(char *const argv[], char *const envp[], int timeout_ms, size_t max, struct str *out,
    struct err *err)
{
	struct run run = {.text = out,
	    .max = max,
	    .said = {.max = COMPLAINT_MAX},
	    .deadline_ms = clock_mono_ms() + timeout_ms};
	int status, rc = -1;

	str_clear(out);
	if (start(&run, argv, envp, err) < 0)
		return -1;
	if (collect(&run, argv[0], err) == 0 && await_end(&run, argv[0], &status, err) == 0) {
		run.pid = -1;
		rc = judge(&run, argv[0], status, err);
	}
	if (run.pid > 0) {
		kill(-run.pid, SIGKILL);
		kill(run.pid, SIGKILL);
		waitpid(run.pid, &status, 0);
	}
	fd_close(&run.out);
	fd_close(&run.complaint);
	str_fini(&run.said);
	return rc;
}
