/* SPDX-License-Identifier: ISC */
#include "tests/unit/qmgr/fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

struct fixture fx;

struct listener {
	struct list link;
	char service[64];
	int fd;
};

struct fake_agent {
	struct list link;
	char service[64];
	int fd;
	struct str in;
};

static const char defaults[] = "myhostname = mx.example.test\n"
                               "mydomain = example.test\n"
                               "mydestination =\n"
                               "alias_maps =\n"
                               "local_recipient_maps =\n"
                               "journal_lane_count = 2\n"
                               "journal_lane_size = 1048576\n"
                               "hash_queue_depth = 1\n";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
	close(fd);
}

static void load(const char *settings)
{
	const struct {
		const struct conf_table *table;
		void *out;
	} parts[] = {{&core_params, &fx.service.core}, {&qmgr_params, &fx.params},
	    {&queue_params, &fx.queue}, {&route_params, &fx.route}};
	struct conf_report report = {0};
	struct str text = {0};
	struct err err;

	str_printf(&text, "%squeue_directory = %s\n%s", defaults, fx.dir, settings);
	ck_assert_int_eq(
	    conf_load_text(fx.dir, "main.cf", str_text(&text), text.len, &fx.service.conf, &err),
	    0);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		conf_fill(fx.service.conf, parts[i].table, parts[i].out, &report);
	ck_assert_msg(report.problems == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	str_fini(&text);
}

void fixture_open(const char *settings)
{
	struct err err;

	memset(&fx, 0, sizeof(fx));
	signal(SIGPIPE, SIG_IGN);
	/* thousands of messages are synced: in memory where there is such a folder */
	snprintf(fx.dir, sizeof(fx.dir), "%s/postern-qmgr.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	ck_assert(getcwd(fx.before, sizeof(fx.before)) && mkdtemp(fx.dir) && chdir(fx.dir) == 0);
	for (size_t i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	put_file("master.cf", "small unix - - n - 3 smtp\none unix - - n - 1 smtp\n"
	                      "local unix - n n - - local\n");
	load(settings);
	fx.log_fd = memfd_create("log", MFD_CLOEXEC);
	log_open(LOG_TO_FD, fx.log_fd, 0);
	fx.service.options.generation = 7;
	list_init(&fx.listeners);
	list_init(&fx.agents);
	fx.q = (struct qmgr){.service = &fx.service,
	    .loop = loop_new(),
	    .core = &fx.service.core,
	    .params = &fx.params};
	ck_assert_int_eq(queue_open(&fx.queue, false, &fx.q.queue, &err), 0);
	fx.q.router = router_new(&fx.service.core, &fx.route);
}

void fixture_start(void)
{
	qmgr_start(&fx.q);
	fixture_turn();
}

void fixture_close(void)
{
	if (chdir(fx.before) < 0)
		perror(fx.before);
	nftw(fx.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	log_open(LOG_TO_STDERR, -1, 0);
}

/* ---- the agents' side ------------------------------------------------------------------------ */

void fixture_serve(const char *service)
{
	struct listener *l = alloc_zero(1, sizeof(*l));
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(l->service, sizeof(l->service), "%s", service);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "private/%s", service);
	unlink(sun.sun_path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert(
	    bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 && listen(l->fd, 200) == 0);
	list_push(&fx.listeners, &l->link);
}

static void agent_close(struct fake_agent *agent)
{
	for (size_t i = 0; i < fx.count; i++) {
		if (fx.jobs[i].agent == agent)
			fx.jobs[i].agent = NULL;
	}
	list_remove(&agent->link);
	close(agent->fd);
	str_fini(&agent->in);
	free(agent);
}

void fixture_unserve(const char *service)
{
	char path[128];

	LIST_EACH_SAFE (node, &fx.listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, link);

		if (strcmp(l->service, service) != 0)
			continue;
		close(l->fd);
		list_remove(&l->link);
		free(l);
	}
	LIST_EACH_SAFE (node, &fx.agents) {
		if (strcmp(LIST_ITEM(node, struct fake_agent, link)->service, service) == 0)
			agent_close(LIST_ITEM(node, struct fake_agent, link));
	}
	snprintf(path, sizeof(path), "private/%s", service);
	unlink(path);
}

void fixture_bounce(void)
{
	fixture_serve("bounce");
	fixture_serve("defer");
}

static void send_frame(struct fake_agent *agent, uint16_t type, uint32_t id,
    const struct frame_table *table, const void *value)
{
	struct str out = {0};

	frame_encode(&out, type, id, table, value);
	/* who asked may have lost patience */
	ck_assert(
	    send(agent->fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len || errno == EPIPE);
	str_fini(&out);
}

static void serve_bounce(struct fake_agent *agent, const struct frame *frame)
{
	struct bounce_answer answer = {.status = fx.bounce_fails ? 2 : 0, .dir = ""};
	struct bounce_request request;
	const struct bounce_record *records;
	struct location loc;
	struct err err;

	ck_assert_int_eq(frame_decode(frame, &bounce_request_table, &request, &fx.arena, &err), 0);
	records = request.records.items;
	if (request.records.count)
		snprintf(fx.last_reason, sizeof(fx.last_reason), "%s", records[0].reason);
	deliver_location(&request.message, &loc);
	if (!fx.bounce_fails) {
		fx.appended += frame->type == BOUNCE_APPEND ? (int)request.records.count : 0;
		fx.append_requests += frame->type == BOUNCE_APPEND;
		fx.flushed += frame->type == BOUNCE_FLUSH;
		fx.moved += frame->type == BOUNCE_MOVE;
		if (frame->type == BOUNCE_MOVE) {
			int rc = message_move(fx.q.queue, &loc, request.message.id,
			    request.move_dir, (int64_t)request.retry_at, &err);

			ck_assert_msg(rc >= 0, "%s", err.text);
			answer.status = (uint32_t)rc;
			fx.retry_at = request.retry_at;
		}
	}
	send_frame(agent, BOUNCE_ANSWER, frame->id, &bounce_answer_table, &answer);
}

/* What an agent would do to the record is not done here: job_answer marks. */
static void take_job(struct fake_agent *agent, const struct frame *frame)
{
	struct job *job = &fx.jobs[fx.count++];
	struct err err;

	ck_assert(fx.count < JOBS_MAX && frame->type == DELIVER_REQUEST);
	job->agent = agent;
	job->id = frame->id;
	snprintf(job->transport, sizeof(job->transport), "%s", agent->service);
	ck_assert_int_eq(
	    frame_decode(frame, &deliver_request_table, &job->request, &fx.arena, &err), 0);
	if (fx.answer)
		fx.answer(job);
}

static bool is_bounce(const struct fake_agent *agent)
{
	return strcmp(agent->service, "bounce") == 0 || strcmp(agent->service, "defer") == 0;
}

static bool serve_agent(struct fake_agent *agent)
{
	struct frame frame;
	struct err err;
	ssize_t n;

	str_reserve(&agent->in, 1 << 20);
	n = recv(agent->fd, agent->in.data + agent->in.len, 1 << 20, MSG_DONTWAIT);
	if (n < 0)
		return false;
	if (n == 0) {
		agent_close(agent);
		return true;
	}
	agent->in.len += (size_t)n;
	while (frame_peek(agent->in.data, agent->in.len, &frame, &err) == 1) {
		struct fake_agent *same = agent;
		size_t size = frame.size;

		if (is_bounce(agent))
			serve_bounce(agent, &frame);
		else
			take_job(same, &frame);
		str_consume(&agent->in, size);
	}
	return true;
}

static bool serve_all(void)
{
	bool any = false;

	if (fx.paused)
		return false;
	LIST_EACH (node, &fx.listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, link);
		int fd;

		while ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			struct fake_agent *agent = alloc_zero(1, sizeof(*agent));

			agent->fd = fd;
			snprintf(agent->service, sizeof(agent->service), "%s", l->service);
			list_push(&fx.agents, &agent->link);
			any = true;
		}
	}
	LIST_EACH_SAFE (node, &fx.agents)
		any |= serve_agent(LIST_ITEM(node, struct fake_agent, link));
	return any;
}

/*
 * The time of these tests instead of lib/sys/clock.c: it stands still but for what fixture_pass()
 * adds and a millisecond for each turn in which nothing happens, so that a busy host changes
 * nothing.
 */
static int64_t passed_ms = 1000000;

int64_t clock_mono_ms(void)
{
	return passed_ms;
}

int64_t clock_mono_us(void)
{
	return passed_ms * 1000;
}

int64_t clock_wall_us(void)
{
	static int64_t begin;

	if (begin == 0)
		begin = (int64_t)time(NULL) * 1000000;
	return begin + passed_ms * 1000;
}

void fixture_turn(void)
{
	int quiet = 0;

	while (quiet < 8) {
		loop_turn(fx.q.loop, 0);
		if (serve_all()) {
			quiet = 0;
			continue;
		}
		quiet = timer_armed(&fx.q.scan_timer) ? 0 : quiet + 1;
		passed_ms += quiet == 0 || quiet > 4;
	}
}

void fixture_pass(int64_t ms)
{
	passed_ms += ms;
	fixture_turn();
}

bool fixture_logged(const char *text)
{
	off_t size = lseek(fx.log_fd, 0, SEEK_END);
	bool found;

	str_clear(&fx.log);
	str_reserve(&fx.log, (size_t)size + 1);
	ck_assert(pread(fx.log_fd, fx.log.data, (size_t)size, 0) == (ssize_t)size);
	fx.log.len = (size_t)size;
	fx.log.data[size] = '\0';
	found = strstr(str_text(&fx.log), text) != NULL;
	return found;
}

size_t fixture_active(void)
{
	return map_count(fx.q.mails);
}

size_t agents_connected(void)
{
	size_t n = 0;

	LIST_EACH (node, &fx.agents)
		n += !is_bounce(LIST_ITEM(node, struct fake_agent, link));
	return n;
}

/* ---- answers --------------------------------------------------------------------------------- */

size_t jobs_waiting(const char *nexthop)
{
	size_t n = 0;

	for (size_t i = 0; i < fx.count; i++)
		n += fx.jobs[i].agent &&
		     (!nexthop || strcmp(fx.jobs[i].request.nexthop, nexthop) == 0);
	return n;
}

static bool mark_delivered(const struct deliver_request *request)
{
	const struct deliver_rcpt *rcpts = request->rcpts.items;
	struct location loc;
	struct message m;
	struct err err;

	deliver_location(request, &loc);
	if (message_open(fx.q.queue, &loc, request->id, 0, &m, &err) != 0)
		return false;
	for (size_t i = 0; i < request->rcpts.count; i++)
		ck_assert_int_eq(message_mark(&m, rcpts[i].index, RCPT_DONE, &err), 0);
	message_close(&m);
	return true;
}

void job_answer(struct job *job, enum outcome outcome, const char *dead_reason)
{
	const struct deliver_request *request = &job->request;
	const struct deliver_rcpt *rcpts = request->rcpts.items;
	struct rcpt_result *results = alloc_zero(request->rcpts.count, sizeof(*results));
	struct deliver_result result = {.reusable_ms = fx.reusable_ms,
	    .rcpts = {results, request->rcpts.count},
	    .dead_dsn = dead_reason ? "4.4.1" : "",
	    .dead_reason = dead_reason ? dead_reason : "",
	    .damaged = fx.damaged ? fx.damaged : "",
	    .relay = fx.relay ? fx.relay : ""};
	struct fake_agent *agent = job->agent;

	job->agent = NULL;
	if (outcome == OUTCOME_SENT && !mark_delivered(request))
		outcome = OUTCOME_SKIPPED;
	for (size_t i = 0; i < request->rcpts.count; i++) {
		results[i] = (struct rcpt_result){.index = rcpts[i].index,
		    .outcome = outcome,
		    .dsn = outcome == OUTCOME_BOUNCED ? "5.1.1" : "4.0.0",
		    .action = "failed",
		    .reason = "because",
		    .diag = fx.diag ? fx.diag : "",
		    .mta = ""};
	}
	send_frame(agent, DELIVER_RESULT, job->id, &deliver_result_table, &result);
	free(results);
}

void jobs_answer(const char *nexthop, enum outcome outcome, const char *dead_reason)
{
	size_t count = fx.count;

	for (size_t i = 0; i < count; i++) {
		if (fx.jobs[i].agent &&
		    (!nexthop || strcmp(fx.jobs[i].request.nexthop, nexthop) == 0))
			job_answer(&fx.jobs[i], outcome, dead_reason);
	}
	fixture_turn();
}

void job_drop(struct job *job)
{
	agent_close(job->agent);
	fixture_turn();
}

void job_say(struct job *job, const char *bytes, size_t len)
{
	ck_assert(send(job->agent->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
	job->agent = NULL;
	fixture_turn();
}

void answer_sent(struct job *job)
{
	job_answer(job, OUTCOME_SENT, NULL);
}

void answer_deferred(struct job *job)
{
	job_answer(job, OUTCOME_DEFERRED, NULL);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static struct location commit(char id_out[QUEUE_ID_MAX], const char *sender, size_t rcpt_count,
    const char *transport, const char *nexthop, struct note *note)
{
	struct recipient *rcpts = arena_zero(&fx.arena, rcpt_count, sizeof(*rcpts));
	struct note_rcpt *noted = arena_zero(&fx.arena, rcpt_count, sizeof(*noted));
	struct envelope env = {.id = id_out,
	    .sender = sender,
	    .arrival_us = (uint64_t)clock_wall_us(),
	    .generation = 7,
	    .rcpts = rcpts,
	    .rcpt_count = (uint32_t)rcpt_count};
	struct queue_writer *w;
	struct location loc;
	struct err err;

	for (size_t i = 0; i < rcpt_count; i++) {
		rcpts[i] = (struct recipient){
		    .address =
		        arena_printf(&fx.arena, "user%zu%s@example.test", i, fx.pad ? fx.pad : ""),
		    .orig = "",
		    .orcpt = "",
		    .transport = transport,
		    .nexthop = nexthop};
		noted[i] = (struct note_rcpt){.index = (uint32_t)i,
		    .address = rcpts[i].address,
		    .orig = "",
		    .orcpt = "",
		    .transport = transport,
		    .nexthop = nexthop};
	}
	queue_new_id(fx.q.queue, id_out);
	w = queue_writer_new(fx.q.queue, id_out);
	ck_assert_int_eq(queue_writer_put(w, "Subject: x\r\n\r\n", 14, &err), 0);
	ck_assert_int_eq(queue_writer_commit(&w, &env, false, &loc, &err), 0);
	*note = (struct note){.id = id_out,
	    .lane = (uint32_t)loc.lane,
	    .epoch = loc.epoch,
	    .offset = loc.offset,
	    .dir = arena_strdup(&fx.arena, loc.dir),
	    .generation = 7,
	    .arrival_us = env.arrival_us,
	    .queued_us = env.queued_us,
	    .content_len = 14,
	    .rcpt_count = (uint32_t)rcpt_count,
	    .sender = sender,
	    .rcpts = {noted, rcpt_count <= NOTE_RCPTS_MAX ? rcpt_count : 0}};
	return loc;
}

struct location fixture_message(char id_out[QUEUE_ID_MAX], const char *sender, size_t rcpts,
    const char *transport, const char *nexthop)
{
	struct note note;

	return commit(id_out, sender, rcpts, transport, nexthop, &note);
}

void fixture_note(
    char id_out[QUEUE_ID_MAX], size_t rcpts, const char *transport, const char *nexthop)
{
	struct note note;

	commit(id_out, "sender@example.test", rcpts, transport, nexthop, &note);
	mail_from_note(&fx.q, &note);
}

void fixture_deferred(char id_out[QUEUE_ID_MAX], const char *sender, int64_t retry_at,
    const char *transport, const char *nexthop)
{
	struct location loc = fixture_message(id_out, sender, 1, transport, nexthop);
	struct err err;

	ck_assert_int_eq(message_move(fx.q.queue, &loc, id_out, "deferred", retry_at, &err), 0);
}
