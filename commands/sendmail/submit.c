/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

enum { FLUSH_AT = 64 * 1024, ANSWER_MAX = 8192, EXIT_NO_EXEC = 127 };

static void run_postdrop(const struct sendmail *s, int in, int out)
{
	char *path = alloc_printf("%s/postdrop", s->command.core.command_directory);

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(EXIT_NO_EXEC);
	close_range(3, ~0U, 0);
	execl(path, "postdrop", "-r", (char *)NULL);
	log_warn("unable to execute %s: %s", path, strerror(errno));
	_exit(EXIT_NO_EXEC);
}

static int start(struct submission *sub, struct err *err)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	if (pipe2(from, O_CLOEXEC) < 0) {
		err_sys(err, "pipe");
		close(to[0]);
		close(to[1]);
		return -1;
	}
	sub->pid = fork();
	if (sub->pid == 0)
		run_postdrop(sub->sendmail, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	sub->to = to[1];
	sub->from = from[0];
	if (sub->pid > 0)
		return 0;
	err_sys(err, "fork");
	fd_close(&sub->to);
	fd_close(&sub->from);
	return -1;
}

static void flush(struct submission *sub, size_t keep)
{
	struct str *out = &sub->writer.out;

	if (out->len <= keep)
		return;
	if (!sub->broken && fd_write_all(sub->to, out->data, out->len) < 0)
		sub->broken = true;
	str_clear(out);
}

int submit_begin(struct submission *sub, const struct sendmail *s,
    const struct maildrop_envelope *env, struct err *err)
{
	*sub = (struct submission){.sendmail = s, .to = -1, .from = -1};
	if (start(sub, err) < 0)
		return -1;
	maildrop_put_envelope(&sub->writer, env);
	return 0;
}

void submit_text(struct submission *sub, const char *data, size_t len)
{
	maildrop_put_content(&sub->writer, data, len);
	flush(sub, FLUSH_AT);
}

void submit_rcpt(struct submission *sub, const struct maildrop_rcpt *rcpt)
{
	maildrop_put_rcpt(&sub->writer, rcpt);
	flush(sub, FLUSH_AT);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EX_OSERR;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

static void read_answer(struct submission *sub, struct str *in)
{
	char buf[1024];
	ssize_t n;

	while (in->len < ANSWER_MAX) {
		n = read(sub->from, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		str_put(in, buf, (size_t)n);
	}
}

int submit_end(struct submission *sub, char id_out[64], struct err *err)
{
	struct maildrop_answer answer;
	struct arena arena = {0};
	struct frame frame;
	struct str in = {0};
	int status, exited;

	maildrop_put_end(&sub->writer);
	flush(sub, 0);
	fd_close(&sub->to);
	read_answer(sub, &in);
	fd_close(&sub->from);
	exited = wait_for(sub->pid);
	maildrop_writer_fini(&sub->writer);
	if (frame_peek(in.data ? in.data : "", in.len, &frame, NULL) == 1 &&
	    frame.type == MAILDROP_ANSWER &&
	    frame_decode(&frame, &maildrop_answer_table, &answer, &arena, NULL) == 0) {
		status = (int)answer.status;
		snprintf(id_out, 64, "%s", answer.id);
		err_set(err, 0, "%s", answer.reason);
	} else {
		status = exited && exited != EXIT_NO_EXEC ? exited : EX_UNAVAILABLE;
		err_set(err, 0, "unable to execute %s/postdrop -r: exit status %d",
		    sub->sendmail->command.core.command_directory, exited);
	}
	arena_fini(&arena);
	str_fini(&in);
	return status;
}

/* Without its END the message is none: postdrop removes what it wrote. */
void submit_abort(struct submission *sub)
{
	fd_close(&sub->to);
	fd_close(&sub->from);
	wait_for(sub->pid);
	maildrop_writer_fini(&sub->writer);
}
