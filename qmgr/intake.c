/* SPDX-License-Identifier: ISC */
/*
 * public/qmgr: notes of new mail, many on one connection, and one-byte triggers. A trigger's
 * connection ends after a few bytes; a frame has at least FRAME_HEADER: so what came is told apart
 * when there is enough of it or when the connection ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/peer/scheduler.h"
#include "lib/sys/fd.h"
#include "qmgr/qmgr.h"

enum { READ_CHUNK = 65536, UNTRUSTED_MAX = 4096 };

#define STRANGER "a note from a process that is not the mail system's"

struct intake {
	struct list link; /* in qmgr->intakes */
	struct qmgr *qmgr;
	struct watch watch;
	int fd;
	bool trusted;       /* notes are believed; without, only triggers are heard */
	struct str in, out; /* out: an answer that the socket has not taken yet */
};

static void intake_close(struct intake *intake)
{
	list_remove(&intake->link);
	watch_cancel(intake->qmgr->loop, &intake->watch);
	fd_close(&intake->fd);
	str_fini(&intake->in);
	str_fini(&intake->out);
	free(intake);
}

/* Who does not read it has hundreds of them unread, or is gone: it does not matter. */
static void tell(struct intake *intake, bool behind)
{
	struct str frame = {0};

	frame_encode(&frame, behind ? NOTE_BEHIND : NOTE_ROOM, 0, NULL, NULL);
	if (intake->out.len > 0)
		str_put(&intake->out, frame.data, frame.len);
	else if (send(intake->fd, frame.data, frame.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("public/qmgr: %s", strerror(errno));
	str_fini(&frame);
}

void intake_tell(struct qmgr *q, bool behind)
{
	if (behind == q->behind)
		return;
	q->behind = behind;
	LIST_EACH (node, &q->intakes)
		tell(LIST_ITEM(node, struct intake, link), behind);
}

static void take_triggers(struct qmgr *q, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (bytes[i]) {
		case 'F': /* flush: everything, now, and whatever rests is tried */
			dests_revive(q);
			bouncer_retry(&q->bounce);
			bouncer_retry(&q->defer);
			bouncer_retry(&q->trace);
			scan_deferred(q, true);
			scan_new_mail(q);
			break;
		case 'D':
		case 'A':
			scan_deferred(q, bytes[i] == 'A');
			break;
		case 'W':
		case 'I':
			scan_new_mail(q);
			break;
		default:
			log_debug("unknown trigger %d", bytes[i]);
		}
	}
}

static int take_attempt(
    struct qmgr *q, const struct frame *frame, struct arena *arena, struct err *err)
{
	struct note_attempt attempt;
	const struct note_attempt_id *ids;

	if (frame_decode(frame, &note_attempt_table, &attempt, arena, err) < 0)
		return -1;
	ids = attempt.ids.items;
	for (size_t i = 0; i < attempt.ids.count; i++) {
		if (queue_id_valid(ids[i].id))
			scan_take_urgent(q, ids[i].id);
	}
	return 0;
}

/* What the socket takes of the answer; the rest when it takes more. false: it takes nothing. */
static bool push_out(struct intake *intake)
{
	struct loop *loop = intake->qmgr->loop;

	while (intake->out.len > 0) {
		ssize_t n = send(
		    intake->fd, intake->out.data, intake->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		str_consume(&intake->out, (size_t)n);
	}
	watch_start(loop, &intake->watch, intake->fd,
	    intake->out.len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	if (intake->out.len == 0)
		str_fini(&intake->out);
	return true;
}

/* One answer at a time is enough for anyone. */
static bool answer(struct intake *intake)
{
	if (intake->out.len > 0)
		return true;
	show_scheduler(intake->qmgr, &intake->out);
	return push_out(intake);
}

/* false: not frames. */
static bool take_frames(struct intake *intake)
{
	struct frame frame;
	struct arena arena = {0};
	struct err err = {0};
	size_t at = 0;
	int found;

	while ((found = frame_peek(intake->in.data + at, intake->in.len - at, &frame, &err)) == 1) {
		struct note note;

		at += frame.size;
		if (frame.type == SCHEDULER_ASK) {
			if (!answer(intake))
				str_clear(&intake->out); /* reading tells how it ended */
		} else if (!intake->trusted) {
			err_set(&err, 0, STRANGER);
			found = -1;
			break;
		} else if (frame.type == NOTE_SCAN) {
			scan_new_mail(intake->qmgr);
		} else if (frame.type == NOTE_ATTEMPT) {
			if (take_attempt(intake->qmgr, &frame, &arena, &err) < 0) {
				found = -1;
				break;
			}
		} else if (frame.type != NOTE_MESSAGE ||
		           frame_decode(&frame, &note_table, &note, &arena, &err) < 0) {
			found = -1;
			break;
		} else {
			mail_from_note(intake->qmgr, &note);
		}
		arena_reset(&arena);
	}
	str_consume(&intake->in, at);
	arena_fini(&arena);
	if (found < 0)
		log_warn("public/qmgr: %s%s", intake->trusted ? "malformed note: " : "", err.text);
	return found >= 0;
}

static void intake_ready(struct watch *watch, int events)
{
	struct intake *intake = CONTAINER_OF(watch, struct intake, watch);
	ssize_t n;

	if ((events & LOOP_WRITE) && !push_out(intake))
		str_clear(&intake->out);
	if (!(events & LOOP_READ))
		return;
	str_reserve(&intake->in, READ_CHUNK);
	n = recv(intake->fd, intake->in.data + intake->in.len, READ_CHUNK, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		intake->in.len += (size_t)n;
	if (intake->in.len >= UNTRUSTED_MAX && !intake->trusted) {
		log_warn("public/qmgr: " STRANGER);
		intake_close(intake);
		return;
	}
	if (intake->in.len >= FRAME_HEADER && !take_frames(intake)) {
		intake_close(intake);
		return;
	}
	if (n <= 0) {
		if (intake->in.len < FRAME_HEADER)
			take_triggers(intake->qmgr, str_text(&intake->in), intake->in.len);
		intake_close(intake);
		return;
	}
	if (intake->in.len == 0)
		str_fini(&intake->in); /* a thousand quiet connections cost nothing */
}

/*
 * A note says where content lies and to whom it goes, so only who may write the queue may send one.
 * postqueue(1), in every user's hands, reaches the same socket.
 */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

void intake_accept(struct qmgr *q, int fd)
{
	struct intake *intake = alloc_zero(1, sizeof(*intake));

	intake->trusted = is_trusted(fd);
	intake->qmgr = q;
	intake->fd = fd;
	intake->watch.ready = intake_ready;
	list_push(&q->intakes, &intake->link);
	if (q->behind)
		tell(intake, true);
	watch_start(q->loop, &intake->watch, fd, LOOP_READ);
}
