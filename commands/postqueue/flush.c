/* SPDX-License-Identifier: ISC */
/* Requests for delivery: all mail, one message, one site. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "commands/postqueue/postqueue.h"
#include "lib/base/log.h"
#include "lib/peer/note.h"
#include "lib/queue/id.h"

static void require_flush(const struct postqueue *q)
{
	postqueue_require(
	    "authorized_flush_users", q->params.authorized_flush_users, "flush the mail queue");
}

static int wake_qmgr(const struct postqueue *q, char what)
{
	return trigger_send("public/qmgr", what, q->params.trigger_timeout * 1000);
}

int flush_all(struct postqueue *q, const char *arg UNUSED)
{
	require_flush(q);
	if (wake_qmgr(q, 'F') < 0)
		fatal_exit(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
	trigger_send("public/pickup", 'W', q->params.trigger_timeout * 1000);
	return 0;
}

int flush_id(struct postqueue *q, const char *id)
{
	char path[256];
	struct queue *queue;
	struct err err;
	char what = 'D';

	require_flush(q);
	if (!queue_id_valid(id))
		fatal_exit(EX_USAGE, "Cannot flush queue ID - invalid name: \"%.100s\"", id);
	if (queue_open(&q->queue_params, q->command.core.enable_long_queue_ids, &queue, &err) < 0) {
		if (err.code != EACCES)
			fatal_exit(EX_UNAVAILABLE, "Cannot flush queue ID: %s", err.text);
		return flush_all(q, id);
	}
	/* a retry time that is past makes the next scan of deferred/ take it */
	queue_path(queue, "deferred", id, path, sizeof(path));
	/* who may not set it has all of the queue tried, this message among it */
	if (utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0 && errno == EACCES)
		what = 'F';
	queue_close(&queue);
	if (wake_qmgr(q, what) < 0)
		fatal_exit(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
	return 0;
}

static bool site_valid(const char *site)
{
	size_t len = strspn(site, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                          ".-_:[]");

	return len > 0 && !site[len] && strlen(site) < 256;
}

/* Without a record per destination the whole queue is tried: slower, and as complete. */
int flush_site(struct postqueue *q, const char *site)
{
	if (!site_valid(site))
		fatal_exit(EX_USAGE, "Cannot flush mail queue - invalid destination: \"%.100s%s\"",
		    site, strlen(site) > 100 ? "..." : "");
	return flush_all(q, site);
}
