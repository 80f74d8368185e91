/* SPDX-License-Identifier: ISC */
#include "bounce/bounce.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/peer/verify.h"
#include "lib/service/service.h"

/*
 * Requests come one behind the other on one connection; each is durable before its answer goes
 * out. Answers to requests that were already there are sent together.
 */
enum { FRAME_TIMEOUT_MS = 60000, LOG_WAIT_MS = 10000 };
enum { STATUS_DONE = 0, STATUS_GONE = 1, STATUS_FAILED = 2 };

struct exchange {
	struct bounce *bounce;
	struct bounce_request request;
	struct bounce_answer *answer;
	struct location loc; /* answer->dir points into it */
	struct arena *arena;
};

static uint32_t failed(const struct exchange *x, const struct err *err)
{
	log_warn("%s: %s", x->request.message.id, err->text);
	return STATUS_FAILED;
}

static uint32_t append_to(struct exchange *x, const char *log)
{
	const struct frame_list *records = &x->request.records;
	struct err err;

	if (bounce_log_append(x->bounce->queue, log, x->request.message.id, records->items,
	        records->count, &err) < 0)
		return failed(x, &err);
	return STATUS_DONE;
}

/* A part of the recipients of a large message is logged while the others are still tried. */
static uint32_t do_append(struct exchange *x)
{
	uint32_t status = append_to(x, x->bounce->name);

	if (status == STATUS_DONE && !strcmp(x->bounce->name, "defer"))
		fast_flush_note(x->bounce, x->request.message.id, x->request.records.items,
		    x->request.records.count);
	return status;
}

static uint32_t do_forget(struct exchange *x)
{
	struct err err;

	if (bounce_log_remove(x->bounce->queue, x->bounce->name, x->request.message.id, &err) < 0)
		return failed(x, &err);
	return STATUS_DONE;
}

/* Who asked to watch the delivery (sendmail -v) hears of the first attempt, not of each one. */
static int mark_reported(struct exchange *x)
{
	struct err err;

	deliver_location(&x->request.message, &x->loc);
	if (message_mark_told(
	        x->bounce->queue, &x->loc, x->request.message.id, RECORD_REPORTED, &err) >= 0)
		return 0;
	failed(x, &err);
	return -1;
}

/*
 * From the log, which nobody else has meanwhile: a queue manager that has ended may have left a
 * request with another process.
 */
static int make_notice(struct exchange *x, enum report_kind kind, bool remove)
{
	const struct bounce *b = x->bounce;
	const char *id = x->request.message.id;
	struct err err;
	int fd, rc = bounce_log_take(b->queue, b->name, id, LOG_WAIT_MS, &fd, &err);

	if (rc == 1)
		return 0;
	if (rc == 0) {
		rc = notice_send(x->bounce, &x->request, kind, fd, x->arena);
		if (rc == 0 && remove && do_forget(x) != STATUS_DONE)
			rc = -1;
		close(fd);
		return rc;
	}
	failed(x, &err);
	return -1;
}

/* The notice is durable before its log goes: a crash in between is told by the log (made.c). */
static uint32_t do_flush(struct exchange *x)
{
	const bool trace = !strcmp(x->bounce->name, "trace");
	const bool verify = x->request.message.env_flags & (ENV_VERIFY | ENV_TRACE);
	const enum report_kind kind = !trace   ? REPORT_FAILURE
	                              : verify ? REPORT_VERIFY
	                                       : REPORT_SUCCESS;

	if (x->request.records.count && append_to(x, x->bounce->name) != STATUS_DONE)
		return STATUS_FAILED;
	if (trace && x->request.message.env_flags & ENV_TRACE)
		return make_notice(x, kind, false) < 0 || mark_reported(x) < 0 ? STATUS_FAILED
		                                                               : do_forget(x);
	return make_notice(x, kind, true) < 0 ? STATUS_FAILED : STATUS_DONE;
}

/* Once per message: the mark in its record outlives qmgr, and comes when the notice is safe. */
static uint32_t do_warn(struct exchange *x)
{
	struct err err;

	if (x->request.records.count && append_to(x, "defer") != STATUS_DONE)
		return STATUS_FAILED;
	if (make_notice(x, REPORT_DELAY, false) < 0)
		return STATUS_FAILED;
	deliver_location(&x->request.message, &x->loc);
	if (message_mark_told(
	        x->bounce->queue, &x->loc, x->request.message.id, RECORD_WARNED, &err) < 0)
		return failed(x, &err);
	return STATUS_DONE;
}

static uint32_t do_move(struct exchange *x)
{
	struct err err;
	int moved;

	if (append_to(x, "defer") != STATUS_DONE)
		return STATUS_FAILED;
	deliver_location(&x->request.message, &x->loc);
	moved = message_move(x->bounce->queue, &x->loc, x->request.message.id, x->request.move_dir,
	    (int64_t)x->request.retry_at, &err);
	if (moved < 0)
		return failed(x, &err);
	if (moved > 0)
		return STATUS_GONE;
	if (!strcmp(x->loc.dir, "deferred"))
		fast_flush_note(x->bounce, x->request.message.id, x->request.records.items,
		    x->request.records.count);
	x->answer->lane = (uint32_t)x->loc.lane;
	x->answer->epoch = x->loc.epoch;
	x->answer->offset = x->loc.offset;
	x->answer->dir = x->loc.dir;
	return STATUS_DONE;
}

/*
 * A probe of verify(8) is nobody's mail: that it cannot be delivered, or not now, is what verify
 * wanted to know, and then it is gone.
 */
static uint32_t do_probe(struct exchange *x, uint16_t type)
{
	const struct bounce_record *records = x->request.records.items;
	struct err err;

	for (size_t i = 0; i < x->request.records.count; i++)
		verify_tell(x->bounce->params.verify_service, records[i].address, records[i].orig,
		    records[i].dsn, records[i].reason);
	if (type != BOUNCE_MOVE)
		return STATUS_DONE;
	deliver_location(&x->request.message, &x->loc);
	if (message_finish(x->bounce->queue, &x->loc, x->request.message.id, &err) < 0)
		return failed(x, &err);
	return STATUS_GONE;
}

static const struct {
	uint16_t type;
	uint32_t (*run)(struct exchange *x);
} commands[] = {
    {BOUNCE_APPEND, do_append},
    {BOUNCE_FLUSH, do_flush},
    {BOUNCE_MOVE, do_move},
    {BOUNCE_WARN, do_warn},
    {BOUNCE_FORGET, do_forget},
};

static bool move_dir_is_sane(const char *dir)
{
	static const char *const dirs[] = {"deferred", "hold", "active", "incoming", "corrupt"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (!strcmp(dir, dirs[i]))
			return true;
	return false;
}

/* Decodes and does one request; appends its answer to out. False: not a request. */
static bool handle(
    struct bounce *bounce, const struct frame *frame, struct arena *arena, struct str *out)
{
	struct bounce_answer answer = {.status = STATUS_FAILED, .dir = ""};
	struct exchange x = {.bounce = bounce, .answer = &answer, .arena = arena};
	struct err err;
	size_t row = 0;

	while (row < ARRAY_LEN(commands) && commands[row].type != frame->type)
		row++;
	if (row == ARRAY_LEN(commands)) {
		log_warn("request of unknown type %u", frame->type);
		return false;
	}
	if (frame_decode(frame, &bounce_request_table, &x.request, arena, &err) < 0) {
		log_warn("malformed request: %s", err.text);
		return false;
	}
	if (!queue_id_valid(x.request.message.id) ||
	    (frame->type == BOUNCE_MOVE && !move_dir_is_sane(x.request.move_dir))) {
		log_warn("request with an impossible name: %.50s %.20s", x.request.message.id,
		    x.request.move_dir);
		return false;
	}
	if (x.request.message.env_flags & ENV_PROBE)
		answer.status = do_probe(&x, frame->type);
	else
		answer.status = commands[row].run(&x);
	frame_encode(out, BOUNCE_ANSWER, frame->id, &bounce_answer_table, &answer);
	return true;
}

/* Waits for input. False: the connection is over. */
static bool wait_request(struct service *service, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	for (;;) {
		int n = poll(&pfd, 1, service_alive_interval_ms(service));

		service_alive(service);
		if (n > 0)
			return true;
		if (n < 0 && (errno != EINTR || service_should_end(service)))
			return false;
	}
}

void bounce_serve(struct bounce *bounce, struct service *service, int fd)
{
	struct str in = {0}, out = {0};
	struct arena arena = {0};
	struct frame frame;
	struct err err;
	bool good = true;

	while (good && (in.len || wait_request(service, fd))) {
		int got = frame_recv(fd, &in, FRAME_TIMEOUT_MS, &frame, NULL, &err);

		if (got <= 0) {
			if (got < 0)
				log_warn("connection of the queue manager: %s", err.text);
			break;
		}
		good = handle(bounce, &frame, &arena, &out);
		str_consume(&in, frame.size);
		arena_reset(&arena);
		service_alive(service);
		if (!out.len || (good && in.len && frame_peek(in.data, in.len, &frame, &err) == 1))
			continue;
		if (frame_send(fd, &out, -1, FRAME_TIMEOUT_MS, &err) < 0)
			break;
		str_clear(&out);
		if (!in.len && service_should_end(service))
			break;
	}
	str_fini(&in);
	str_fini(&out);
	arena_fini(&arena);
}
