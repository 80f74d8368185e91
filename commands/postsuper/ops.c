/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/postsuper/postsuper.h"
#include "lib/base/log.h"
#include "lib/peer/bounce.h"

enum { PATH_SIZE = 256 };

void remove_logs(struct postsuper *p, const char *id)
{
	static const char *const services[] = {"bounce", "defer", "trace"};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (bounce_log_remove(p->queue, services[i], id, &err) < 0)
			log_warn("%s", err.text);
	}
}

static void say(const struct postsuper *p, const char *id, const char *what)
{
	if (!p->quiet)
		log_info("%s: %s", id, what);
}

static bool in_maildrop(const struct location *loc)
{
	return loc->lane < 0 && strcmp(loc->dir, "maildrop") == 0;
}

static int op_delete(struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	int rc = message_finish(p->queue, loc, id, err);

	if (rc != 0)
		return rc;
	if (!in_maildrop(loc))
		remove_logs(p, id);
	say(p, id, "removed");
	return OP_DONE;
}

static int op_hold(struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	int rc = message_move(p->queue, loc, id, "hold", time(NULL), err);

	if (rc == 0)
		say(p, id, "placed on hold");
	return rc;
}

static int op_release(struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	int rc = message_move(p->queue, loc, id, "deferred", time(NULL), err);

	if (rc == 0)
		say(p, id, "released from hold");
	return rc;
}

/* Forced expiration: the group's x bit of the file (doc/queue.md). */
static int op_expire(struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	char path[PATH_SIZE];
	struct stat st;
	int rc = 0;

	if (loc->lane >= 0)
		rc = message_move(p->queue, loc, id, "deferred", time(NULL), err);
	if (rc != 0)
		return rc;
	queue_path(p->queue, loc->dir, id, path, sizeof(path));
	if (stat(path, &st) < 0)
		return errno == ENOENT ? OP_GONE : err_sys(err, "expire file %s", path);
	if (st.st_mode & S_IXGRP)
		return OP_NOTHING;
	if (chmod(path, (st.st_mode & 07777) | S_IXGRP) < 0)
		return errno == ENOENT
		           ? OP_GONE
		           : err_sys(err, "expire file %s: cannot set permission", path);
	say(p, id, "expired");
	return OP_DONE;
}

static int op_expire_release(
    struct postsuper *p, struct location *loc, const char *id, struct err *err)
{
	bool held = loc->lane < 0 && strcmp(loc->dir, "hold") == 0;
	int expired = op_expire(p, loc, id, err), released = OP_NOTHING;

	if (held && (expired == OP_DONE || expired == OP_NOTHING)) {
		released = op_release(p, loc, id, err);
		p->done_release += released == OP_DONE;
	}
	return released < 0 ? released : expired;
}

const struct op_kind op_kinds[OP_COUNT] = {
    [OP_REQUEUE] = {'r', op_requeue, IN_QUEUE, IN_QUEUE, "Requeued", "requeue"},
    [OP_DELETE] = {'d', op_delete, WHERE_ALL, WHERE_ALL, "Deleted", "delete"},
    [OP_EXPIRE] = {'e', op_expire, IN_QUEUE, IN_QUEUE, "Force-expired", "expire"},
    [OP_EXPIRE_RELEASE] = {'f', op_expire_release, IN_QUEUE, IN_QUEUE, "Force-expired", "expire"},
    [OP_HOLD] = {'h', op_hold, IN_QUEUE, IN_QUEUE & ~WHERE_HOLD, "Placed on hold", "hold"},
    [OP_RELEASE] = {'H', op_release, WHERE_HOLD, WHERE_HOLD, "Released from hold", "release"},
};

unsigned op_queues(const struct postsuper *p, enum op op)
{
	return p->named ? p->queues & op_kinds[op].queues : op_kinds[op].usually;
}
