/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounce/bounce.h"
#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/sys/fd.h"

/* A queue in a scratch folder with one message of three recipients, and what bounce makes of it. */
static struct {
	char folder[32];
	struct conf *conf;
	struct core_params core;
	struct bounce bounce;
	struct bounce_request request;
	char id[QUEUE_ID_MAX];
	struct location loc;
	struct arena arena;
	struct str found; /* "sender>rcpt: subject" of each notice, and its content in `text` */
	struct str text;
} t;

static void load(const char *more)
{
	struct conf_report report = {0};
	struct str text = {0};
	struct err err;

	str_printf(&text,
	    "myhostname = mail.example.com\nmydomain = example.com\nlocal_recipient_maps =\n"
	    "mydestination = $mydomain, $myhostname\nmyorigin = $mydomain\n%s",
	    more);
	ck_assert_int_eq(
	    conf_load_text(t.folder, "main.cf", text.data, text.len, &t.conf, &err), 0);
	conf_fill(t.conf, &core_params, &t.core, &report);
	conf_fill(t.conf, &bounce_param_table, &t.bounce.params, &report);
	conf_fill(t.conf, &queue_params, &t.bounce.queue_params, &report);
	conf_fill(t.conf, &route_params, &t.bounce.route_params, &report);
	ck_assert_msg(report.problems == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	str_fini(&text);
}

static void write_original(const char *content)
{
	static const struct recipient rcpts[] = {
	    {"a@example.net", "", "", "smtp", "", 0, RCPT_TODO},
	    {"b@example.net", "", "", "smtp", "", 0, RCPT_TODO},
	    {"c@example.net", "", "", "smtp", "", 0, RCPT_TODO},
	};
	struct envelope env = {
	    .id = t.id, .sender = "s@example.org", .rcpts = rcpts, .rcpt_count = 3};
	struct queue_writer *w;
	struct err err;

	queue_new_id(t.bounce.queue, t.id);
	w = queue_writer_new(t.bounce.queue, t.id);
	ck_assert_int_eq(queue_writer_put(w, content, strlen(content), &err), 0);
	ck_assert_int_eq(queue_writer_commit(&w, &env, false, &t.loc, &err), 0);
}

static void open_all(const char *service, const char *more, const char *sender)
{
	struct err err;

	memset(&t, 0, sizeof(t));
	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY), 0);
	strcpy(t.folder, "/tmp/notice_test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(t.folder));
	ck_assert_int_eq(chdir(t.folder), 0);
	for (size_t i = 0; i < queue_dir_count; i++)
		ck_assert_int_eq(mkdir(queue_dirs[i].name, 0755), 0);
	t.bounce.core = &t.core;
	t.bounce.name = service;
	load(more);
	t.bounce.router = router_new(&t.core, &t.bounce.route_params);
	t.bounce.notifier = notifier_new();
	ck_assert_int_eq(queue_open(&t.bounce.queue_params, false, &t.bounce.queue, &err), 0);
	write_original("Subject: hello\r\n\r\nthe body\r\n");
	template_set_builtin(&t.bounce.templates);
	t.request.message = (struct deliver_request){
	    .id = t.id, .sender = sender, .envid = "", .ret = "", .arrival_us = 1700000000000000};
	deliver_set_location(&t.request.message, &t.loc);
}

static void close_all(void)
{
	pid_t pid;

	str_fini(&t.found);
	str_fini(&t.text);
	queue_close(&t.bounce.queue);
	notifier_free(&t.bounce.notifier);
	router_free(&t.bounce.router);
	conf_free(&t.conf);
	arena_fini(&t.arena);
	ck_assert_int_eq(chdir("/"), 0);
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", t.folder, (char *)NULL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void add_record(uint32_t index, uint32_t notify, const char *reason)
{
	const struct bounce_record record = {
	    .address = arena_printf(&t.arena, "%c@example.net", "abc"[index]),
	    .orig = "",
	    .orcpt = "",
	    .index = index,
	    .notify = notify,
	    .dsn = "4.4.1",
	    .action = "delayed",
	    .reason = reason,
	    .diag = "",
	    .mta = "",
	};
	struct err err;

	ck_assert_int_eq(
	    bounce_log_append(t.bounce.queue, t.bounce.name, t.id, &record, 1, &err), 0);
}

static bool look(void *arg, const struct scan_item *item)
{
	struct rcpt_cursor cursor = {0, 0};
	struct message m;
	struct recipient rcpt;
	struct err err;
	char *content;

	(void)arg;
	if (!strcmp(item->id, t.id))
		return true;
	ck_assert_int_eq(message_open(t.bounce.queue, &item->loc, item->id,
	                     MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err),
	    0);
	ck_assert_int_eq(message_next_rcpt(&m, &cursor, &t.arena, &rcpt, &err), 1);
	ck_assert(m.env.flags & ENV_INTERNAL);
	str_printf(&t.found, "%s>%s;", m.env.sender, rcpt.address);
	content = arena_zero(&t.arena, 1, m.content_len + 1);
	ck_assert_int_eq(fd_pread_full(m.fd, content, m.content_len, (off_t)m.content_at),
	    (ssize_t)m.content_len);
	str_put_text(&t.text, content);
	message_close(&m);
	return true;
}

static void send_and_look(enum report_kind kind)
{
	const char *id = t.request.message.id;
	struct err err;
	int fd = -1;

	if (bounce_log_take(t.bounce.queue, t.bounce.name, id, 0, &fd, &err) == 0)
		ck_assert_int_eq(notice_send(&t.bounce, &t.request, kind, fd, &t.arena), 0);
	fd_close(&fd);
	ck_assert_int_eq(queue_scan_journal(t.bounce.queue, MESSAGE_ENVELOPE, look, NULL, &err), 0);
}

static int count_of(const char *part)
{
	const char *at = str_text(&t.text);
	int count = 0;

	while ((at = strstr(at, part))) {
		at += strlen(part);
		count++;
	}
	return count;
}

#define HAS(part) ck_assert_msg(strstr(str_text(&t.text), part), "not there: %s", part)
#define LACKS(part) ck_assert_msg(!strstr(str_text(&t.text), part), "there: %s", part)

START_TEST(failure_goes_to_the_sender)
{
	open_all("bounce", "", "s@example.org");
	add_record(0, 0, "first try");
	add_record(0, 0, "second try");
	add_record(1, NOTIFY_NEVER, "unwanted");
	add_record(2, NOTIFY_DELAY | NOTIFY_SUCCESS, "unwanted");
	send_and_look(REPORT_FAILURE);
	ck_assert_str_eq(str_text(&t.found), ">s@example.org;");
	HAS("second try");
	LACKS("first try");
	LACKS("unwanted");
	HAS("\r\n\r\nSubject: hello\r\n\r\nthe body\r\n\r\n--");
	close_all();
}
END_TEST

START_TEST(headers_only)
{
	open_all("bounce", _i ? "bounce_size_limit = 10\n" : "", "s@example.org");
	t.request.message.ret = _i ? "" : "HDRS";
	add_record(0, 0, "x");
	send_and_look(REPORT_FAILURE);
	HAS("Content-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\n\r\n--");
	LACKS("the body");
	close_all();
}
END_TEST

START_TEST(original_is_gone)
{
	struct err err;

	open_all("bounce", "", "s@example.org");
	add_record(0, 0, "x");
	ck_assert_int_eq(message_finish(t.bounce.queue, &t.loc, t.id, &err), 0);
	send_and_look(REPORT_FAILURE);
	ck_assert_str_eq(str_text(&t.found), ">s@example.org;");
	LACKS("message/rfc822");
	close_all();
}
END_TEST

static const struct {
	const char *service, *classes, *sender;
	enum report_kind kind;
	uint32_t notify;
	const char *found;
	uint32_t env_flags, flags;
	const char *verp;
} cases[] = {
    {"bounce", "", "s@example.org", REPORT_FAILURE, NOTIFY_NEVER, "", 0, 0, NULL},
    {"bounce", "", "s@example.org", REPORT_FAILURE, NOTIFY_FAILURE, ">s@example.org;", 0, 0, NULL},
    {"bounce", "bounce", "s@example.org", REPORT_FAILURE, 0,
        ">s@example.org;double-bounce@mail.example.com>postmaster@example.com;", 0, 0, NULL},
    /* notices do not bounce */
    {"bounce", "bounce", "", REPORT_FAILURE, 0, "", 0, 0, NULL},
    {"bounce", "resource, 2bounce", "", REPORT_FAILURE, 0,
        "double-bounce@mail.example.com>postmaster@example.com;", 0, 0, NULL},
    {"bounce", "2bounce, bounce", "double-bounce@mail.example.com", REPORT_FAILURE, 0, "", 0, 0,
        NULL},
    {"defer", "delay", "s@example.org", REPORT_DELAY, 0,
        ">s@example.org;double-bounce@mail.example.com>postmaster@example.com;", 0, 0, NULL},
    {"defer", "", "s@example.org", REPORT_DELAY, NOTIFY_FAILURE, "", 0, 0, NULL},
    {"defer", "delay", "", REPORT_DELAY, 0, "", 0, 0, NULL},
    {"defer", "", "s@example.org", REPORT_FAILURE, 0, ">s@example.org;", 0, 0, NULL},
    {"trace", "bounce, delay", "s@example.org", REPORT_SUCCESS, NOTIFY_SUCCESS, ">s@example.org;",
        0, 0, NULL},
    {"trace", "", "s@example.org", REPORT_SUCCESS, 0, "", 0, 0, NULL},
    {"trace", "", "s@example.org", REPORT_VERIFY, NOTIFY_NEVER, ">s@example.org;", ENV_TRACE, 0,
        NULL},
    {"trace", "", "s@example.org", REPORT_SUCCESS, 0, ">s@example.org;", 0, DELIVER_WARNED, NULL},
    {"trace", "", "s@example.org", REPORT_SUCCESS, NOTIFY_FAILURE, "", 0, DELIVER_WARNED, NULL},
    {"trace", "", "s@example.org", REPORT_VERIFY, 0, ">s@example.org;", ENV_VERIFY, 0, NULL},
    {"trace", "2bounce", "", REPORT_VERIFY, 0, "", ENV_VERIFY, 0, NULL},
    {"bounce", "", "s@example.org", REPORT_FAILURE, 0, ">s+b=example.net@example.org;", 0, 0, "+="},
    {"bounce", "", "s@example.org", REPORT_FAILURE, NOTIFY_NEVER, "", 0, 0, "+="},
    {"defer", "", "s@example.org", REPORT_DELAY, 0, ">s@example.org;", 0, 0, "+="},
};

START_TEST(who_is_told)
{
	char classes[64];

	snprintf(classes, sizeof(classes), "notify_classes = %s\n", cases[_i].classes);
	open_all(cases[_i].service, classes, cases[_i].sender);
	t.request.message.env_flags = cases[_i].env_flags;
	t.request.message.flags = cases[_i].flags;
	t.request.message.verp = cases[_i].verp;
	add_record(1, cases[_i].notify, "x");
	send_and_look(cases[_i].kind);
	ck_assert_str_eq(str_text(&t.found), cases[_i].found);
	close_all();
}
END_TEST

START_TEST(delivered_meanwhile)
{
	struct message m;
	uint8_t status;
	struct err err;

	open_all("defer", "", "s@example.org");
	add_record(0, 0, "still waiting");
	add_record(1, 0, "has arrived");
	add_record(2, 0, "has bounced");
	ck_assert_int_eq(message_open(t.bounce.queue, &t.loc, t.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 1, 1, &status, &err), 0);
	ck_assert_int_eq(message_mark(&m, 1, RCPT_DONE, &err), 0);
	ck_assert_int_eq(message_take(&m, 2, 1, &status, &err), 0);
	ck_assert_int_eq(message_mark(&m, 2, RCPT_BOUNCED, &err), 0);
	message_close(&m);
	send_and_look(REPORT_DELAY);
	HAS("still waiting");
	LACKS("has arrived");
	LACKS("has bounced");
	close_all();
}
END_TEST

/* qmgr died between the record of a bounce and its recipient's mark, and the next try went well. */
START_TEST(delivered_after_all)
{
	struct message m;
	uint8_t status;
	struct err err;

	open_all("bounce", "", "s@example.org");
	add_record(0, 0, "no such user");
	add_record(1, 0, "has arrived");
	ck_assert_int_eq(message_open(t.bounce.queue, &t.loc, t.id, 0, &m, &err), 0);
	ck_assert_int_eq(message_take(&m, 1, 1, &status, &err), 0);
	ck_assert_int_eq(message_mark(&m, 1, RCPT_DONE, &err), 0);
	message_close(&m);
	send_and_look(REPORT_FAILURE);
	HAS("no such user");
	LACKS("has arrived");
	close_all();
}
END_TEST

/* Who made the notice died before the log was gone. */
START_TEST(told_once)
{
	open_all("bounce", "notify_classes = bounce\n", "s@example.org");
	t.request.message.verp = _i ? "+=" : NULL;
	add_record(0, 0, "first");
	send_and_look(REPORT_FAILURE);
	add_record(0, 0, "first again");
	send_and_look(REPORT_FAILURE); /* looks at what is there, and adds to what was seen */
	str_clear(&t.text);
	send_and_look(REPORT_FAILURE);
	ck_assert_int_eq(count_of("Content-Description: Notification"), 2);
	ck_assert_int_eq(count_of("first again"), 0);
	add_record(2, 0, "one more");
	str_clear(&t.text);
	send_and_look(REPORT_FAILURE);
	ck_assert_int_eq(count_of("Content-Description: Notification"), 4);
	/* for people, and for programs; to the sender, and to the postmaster */
	ck_assert_int_eq(count_of("one more"), 4);
	ck_assert_int_eq(count_of("first"), 4);
	close_all();
}
END_TEST

/* ... or before the log says that the notice is in the queue. */
START_TEST(told_in_doubt)
{
	struct bounce_notice notice = {.index = NOTICE_OF_ALL, .id = _i ? t.id : "4XYZ0123456"};
	struct err err;
	int fd;

	open_all("bounce", "", "s@example.org");
	add_record(0, 0, "x");
	ck_assert_int_eq(bounce_log_take(t.bounce.queue, "bounce", t.id, 0, &fd, &err), 0);
	ck_assert_int_eq(bounce_log_put_notice(fd, &notice, &err), 0);
	close(fd);
	if (_i) /* delivered meanwhile; found in its lane all the same */
		ck_assert_int_eq(message_finish(t.bounce.queue, &t.loc, t.id, &err), 0);
	send_and_look(REPORT_FAILURE);
	ck_assert_str_eq(str_text(&t.found), _i ? "" : ">s@example.org;");
	close_all();
}
END_TEST

/* One recipient, two targets: both are told; what an agent said again after a crash is not. */
START_TEST(targets_of_a_recipient)
{
	open_all("trace", "", "s@example.org");
	add_record(0, NOTIFY_SUCCESS, "to the first");
	add_record(0, NOTIFY_SUCCESS, "to the second");
	add_record(0, NOTIFY_SUCCESS, "to the first");
	send_and_look(REPORT_SUCCESS);
	HAS("to the second");
	ck_assert_int_eq(count_of("X-Postfix; to the first"), 1);
	close_all();
}
END_TEST

TCase *notice_tcase(void)
{
	TCase *tcase = tcase_create("notice");

	tcase_add_test(tcase, failure_goes_to_the_sender);
	tcase_add_loop_test(tcase, headers_only, 0, 2);
	tcase_add_test(tcase, original_is_gone);
	tcase_add_loop_test(tcase, who_is_told, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, delivered_meanwhile);
	tcase_add_test(tcase, delivered_after_all);
	tcase_add_loop_test(tcase, told_once, 0, 2);
	tcase_add_loop_test(tcase, told_in_doubt, 0, 2);
	tcase_add_test(tcase, targets_of_a_recipient);
	return tcase;
}
