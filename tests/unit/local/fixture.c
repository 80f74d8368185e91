/* SPDX-License-Identifier: ISC */
#include "fixture.h"

#include <check.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/sys/fd.h"

static void load(struct fixture *f, const char *main_cf)
{
	struct str text = {0};
	struct conf_report report = {0};
	const struct passwd *me = getpwuid(getuid());
	struct err err;

	str_printf(&text, "mail_owner = %s\n", me ? me->pw_name : ""); /* "postfix" may not exist */
	str_put_text(&text, "myhostname = mail.example.com\nmydomain = example.com\n"
	                    "mydestination = $myhostname, $mydomain\nalias_maps =\n"
	                    "local_recipient_maps =\nforward_path = @/forward/$user\n"
	                    "mail_spool_directory = @/mail\n");
	str_put_text(&text, main_cf);
	for (char *at; (at = strstr(text.data, "@/"));) {
		struct str next = {0};

		str_put(&next, text.data, (size_t)(at - text.data));
		str_put_text(&next, f->folder);
		str_put_text(&next, at + 1);
		str_fini(&text);
		text = next;
	}
	if (conf_load_text(f->folder, "main.cf", text.data, text.len, &f->conf, &err) < 0)
		ck_abort_msg("%s", err.text);
	conf_fill(f->conf, &core_params, &f->core, &report);
	conf_fill(f->conf, &local_param_table, &f->local.params, &report);
	conf_fill(f->conf, &queue_params, &f->local.queue_params, &report);
	conf_fill(f->conf, &route_params, &f->local.route_params, &report);
	conf_fill(f->conf, &map_params, &f->local.map_params, &report);
	ck_assert_msg(report.problems == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	str_fini(&text);
}

static void make_folders(const struct fixture *f)
{
	static const char *const names[] = {"forward", "mail", "queue"};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	ck_assert_int_eq(chdir(path), 0);
	for (size_t i = 0; i < queue_dir_count; i++)
		ck_assert_int_eq(mkdir(queue_dirs[i].name, 0755), 0);
}

static void write_message(struct fixture *f, const char *content)
{
	struct recipient rcpt = {f->rcpt.address, "", "", "local", "", 0, RCPT_TODO};
	struct queue_writer *w;
	struct envelope env = {
	    .id = f->id, .sender = "sender@example.net", .rcpts = &rcpt, .rcpt_count = 1};
	struct location loc;
	struct err err;

	queue_new_id(f->local.queue, f->id);
	w = queue_writer_new(f->local.queue, f->id);
	ck_assert_int_eq(queue_writer_put(w, content, strlen(content), &err), 0);
	if (queue_writer_commit(&w, &env, false, &loc, &err) < 0)
		ck_abort_msg("%s", err.text);
	if (message_open(f->local.queue, &loc, f->id, 0, &f->m, &err) != 0)
		ck_abort_msg("%s", err.text);
}

void fixture_open(
    struct fixture *f, const char *main_cf, const char *recipient, const char *content)
{
	struct err err;

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY), 0);
	signal(SIGPIPE, SIG_IGN); /* as main does */
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/local_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->folder));
	ck_assert_int_eq(chmod(f->folder, 0755), 0);
	make_folders(f);
	f->local.core = &f->core;
	f->local.service_name = "local";
	load(f, main_cf);
	local_open(&f->local);
	ck_assert_int_eq(identity_find_uid(getuid(), &f->arena, &f->user, &err), 1);
	if (!*f->core.mail_owner || identity_is_root())
		f->local.mail_owner = f->user; /* the queue here is ours */
	f->user.home = f->folder;
	f->rcpt = (struct deliver_rcpt){0, recipient, "", "", 0};
	write_message(f, content);
	f->request = (struct deliver_request){
	    .id = f->id, .sender = "sender@example.net", .content_len = f->m.content_len};
	f->job = (struct agent_job){.queue = f->local.queue,
	    .request = &f->request,
	    .rcpts = &f->rcpt,
	    .rcpt_count = 1,
	    .m = &f->m,
	    .arena = &f->arena};
	f->d = (struct delivery){.local = &f->local,
	    .job = &f->job,
	    .rcpt = &f->rcpt,
	    .trace = &f->trace,
	    .arena = &f->arena,
	    .sender = "sender@example.net",
	    .original = recipient};
	local_look_at(&f->d, recipient);
}

void fixture_close(struct fixture *f)
{
	pid_t pid;

	message_close(&f->m);
	local_close(&f->local);
	ck_assert_int_eq(chdir("/"), 0);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", f->folder, (char *)NULL);
		_exit(1);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	arena_fini(&f->arena);
	conf_free(&f->conf);
}

const char *fixture_path(struct fixture *f, const char *name)
{
	return arena_printf(&f->arena, "%s/%s", f->folder, name);
}

void fixture_write(struct fixture *f, const char *name, const char *text)
{
	FILE *file = fopen(fixture_path(f, name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	chmod(fixture_path(f, name), 0644);
}

const char *fixture_read(struct fixture *f, const char *name)
{
	struct str text = {0};
	const char *copy = "";
	struct err err;

	if (fd_read_file(fixture_path(f, name), 1 << 24, &text, &err) == 0)
		copy = arena_strdup(&f->arena, str_text(&text));
	str_fini(&text);
	return copy;
}
