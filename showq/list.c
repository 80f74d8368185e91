/* SPDX-License-Identifier: ISC */
/* The queue as lib/peer/listing.h reads it, in the form that postqueue(1) and exporters know. */
#include "showq/showq.h"

#include "lib/conf/core.h"
#include "lib/peer/listing.h"
#include "lib/peer/showq.h"
#include "lib/queue/where.h"
#include "lib/sys/fd.h"

enum { FLUSH_AT = 64 * 1024 };

struct output {
	const char *null_sender;
	int fd;
	bool gone;         /* the reader is */
	bool locked;       /* a lane is: nobody is to wait for the reader */
	struct crew *crew; /* of others that write to fd as well */
	struct str out;
};

static void flush(struct output *o, size_t keep)
{
	if (o->out.len <= keep)
		return;
	if (o->crew)
		crew_lock(o->crew);
	if (!o->gone && fd_write_all(o->fd, o->out.data, o->out.len) < 0)
		o->gone = true;
	if (o->crew)
		crew_unlock(o->crew);
	str_clear(&o->out);
}

static bool begin(void *arg, const struct listing_message *m)
{
	struct output *o = arg;
	const struct showq_message message = {.queue_name = m->queue,
	    .queue_id = m->id,
	    .time = m->arrival,
	    .size = (int64_t)m->size,
	    .forced_expire = m->expired,
	    .sender = m->sender[0] ? m->sender : o->null_sender};

	/* what the journal had has been collected, and its lanes are free again */
	o->locked = m->loc.lane >= 0;
	showq_put_message(&o->out, &message);
	return !o->gone;
}

static void rcpt(void *arg, const char *address, const char *reason)
{
	struct output *o = arg;
	const struct showq_rcpt one = {
	    .address = address[0] ? address : o->null_sender, .reason = reason};

	showq_put_rcpt(&o->out, &one);
	/* what others write must not come into the middle of a message */
	if (!o->locked && !o->crew)
		flush(o, FLUSH_AT);
}

static bool end(void *arg)
{
	struct output *o = arg;

	showq_put_message_end(&o->out);
	if (!o->locked)
		flush(o, FLUSH_AT);
	return !o->gone;
}

static void share(void *arg, struct crew *crew)
{
	struct output *o = arg;

	flush(o, 0);
	o->crew = crew;
}

int showq_list(struct queue *queue, const struct core_params *core, int fd)
{
	struct output o = {.null_sender = core->empty_address_recipient, .fd = fd};
	const struct listing_reader reader = {.queues = WHERE_ALL,
	    .what = LISTING_RCPTS | LISTING_REASONS,
	    .begin = begin,
	    .rcpt = rcpt,
	    .end = end,
	    .share = share,
	    .arg = &o};

	showq_put_begin(&o.out);
	listing_read(queue, &reader);
	showq_put_end(&o.out);
	flush(&o, 0);
	str_fini(&o.out);
	return o.gone ? -1 : 0;
}
