/* SPDX-License-Identifier: ISC */
#include "lib/peer/showq.h"

#include <string.h>

#include "lib/base/num.h"

enum { VALUE_MAX = 64 * 1024 };

static const char protocol[] = "mail_queue_list_protocol";

static void put(struct str *out, const char *name, const char *value)
{
	str_put(out, name, strlen(name) + 1);
	str_put(out, value, strlen(value) + 1);
}

static void put_number(struct str *out, const char *name, int64_t value)
{
	str_put(out, name, strlen(name) + 1);
	str_printf(out, "%lld", (long long)value);
	str_put_char(out, '\0');
}

void showq_put_begin(struct str *out)
{
	put(out, "protocol", protocol);
	str_put_char(out, '\0');
}

void showq_put_message(struct str *out, const struct showq_message *message)
{
	put(out, "queue_name", message->queue_name);
	put(out, "queue_id", message->queue_id);
	put_number(out, "time", message->time);
	put_number(out, "size", message->size);
	put_number(out, "forced_expire", message->forced_expire);
	put(out, "sender", message->sender);
}

void showq_put_rcpt(struct str *out, const struct showq_rcpt *rcpt)
{
	put(out, "recipient", rcpt->address);
	put(out, "reason", rcpt->reason ? rcpt->reason : "");
}

void showq_put_message_end(struct str *out)
{
	str_put_char(out, '\0');
}

void showq_put_end(struct str *out)
{
	str_put_char(out, '\0');
}

void showq_feed(struct showq_reader *r, const void *data, size_t len)
{
	str_consume(&r->in, r->at);
	r->at = 0;
	str_put(&r->in, data, len);
}

/*
 * States: each attribute must be the one that is expected next. At a list's beginning (and, for
 * recipients, at each pair's) an empty name ends it.
 */
enum {
	AT_PROTOCOL,
	AT_PROTOCOL_END,
	AT_QUEUE,
	AT_ID,
	AT_TIME,
	AT_SIZE,
	AT_EXPIRE,
	AT_SENDER,
	AT_RCPT,
	AT_REASON,
	AT_DONE
};

static const char *const expected[] = {[AT_PROTOCOL] = "protocol",
    [AT_QUEUE] = "queue_name",
    [AT_ID] = "queue_id",
    [AT_TIME] = "time",
    [AT_SIZE] = "size",
    [AT_EXPIRE] = "forced_expire",
    [AT_SENDER] = "sender",
    [AT_RCPT] = "recipient",
    [AT_REASON] = "reason"};

/* One zero-terminated text from `from` on. 1; 0: more is needed; -1: longer than anything sane. */
static int take_text(const struct showq_reader *r, size_t from, struct slice *out)
{
	size_t have = r->in.len - from;
	const char *data = str_text(&r->in) + from;
	const char *nul = have ? memchr(data, '\0', have) : NULL;

	if (!nul)
		return have > VALUE_MAX ? -1 : 0;
	*out = slice_of(data, (size_t)(nul - data));
	return 1;
}

static bool number(struct slice value, int64_t *out)
{
	uint64_t n;

	if (!num_u64(value.data, value.len, INT64_MAX, &n))
		return false;
	*out = (int64_t)n;
	return true;
}

/* Stores the value that belongs to the state; false: not a good one. */
static bool store(struct showq_reader *r, struct slice value)
{
	const char **text = r->state == AT_QUEUE    ? &r->message.queue_name
	                    : r->state == AT_ID     ? &r->message.queue_id
	                    : r->state == AT_SENDER ? &r->message.sender
	                    : r->state == AT_RCPT   ? &r->rcpt.address
	                    : r->state == AT_REASON ? &r->rcpt.reason
	                                            : NULL;
	int64_t expire = 0;

	if (text) {
		*text = arena_strndup(&r->arena, value.data, value.len);
		return true;
	}
	switch (r->state) {
	case AT_TIME:
		return number(value, &r->message.time);
	case AT_SIZE:
		return number(value, &r->message.size);
	case AT_EXPIRE:
		if (!number(value, &expire))
			return false;
		r->message.forced_expire = expire != 0;
		return true;
	default:
		return slice_eq(value, protocol);
	}
}

/* A list may end here: the empty name. -1: it may not. */
static int list_end(struct showq_reader *r, enum showq_event *event_out)
{
	*event_out = SHOWQ_MORE;
	switch (r->state) {
	case AT_PROTOCOL_END:
		r->state = AT_QUEUE;
		return 0;
	case AT_RCPT:
		r->state = AT_QUEUE;
		return 0;
	case AT_QUEUE:
		r->state = AT_DONE;
		*event_out = SHOWQ_END;
		return 0;
	default:
		return -1;
	}
}

static enum showq_event step(struct showq_reader *r, bool *moved)
{
	struct slice name, value;
	enum showq_event event;
	int rc = take_text(r, r->at, &name);

	*moved = false;
	if (rc == 0)
		return SHOWQ_MORE;
	if (rc < 0 || r->state == AT_DONE)
		return SHOWQ_BAD;
	if (name.len == 0) {
		r->at++;
		*moved = true;
		return list_end(r, &event) < 0 ? SHOWQ_BAD : event;
	}
	if (!expected[r->state] || !slice_eq(name, expected[r->state]))
		return SHOWQ_BAD;
	rc = take_text(r, r->at + name.len + 1, &value);
	if (rc <= 0)
		return rc < 0 ? SHOWQ_BAD : SHOWQ_MORE;
	if (r->state == AT_QUEUE)
		arena_reset(&r->arena);
	if (!store(r, value))
		return SHOWQ_BAD;
	r->at += name.len + value.len + 2;
	*moved = true;
	event = r->state == AT_SENDER   ? SHOWQ_MESSAGE
	        : r->state == AT_REASON ? SHOWQ_RCPT
	                                : SHOWQ_MORE;
	r->state = r->state == AT_REASON ? AT_RCPT : r->state + 1;
	return event;
}

enum showq_event showq_next(struct showq_reader *r)
{
	enum showq_event event;
	bool moved;

	do {
		event = step(r, &moved);
	} while (event == SHOWQ_MORE && moved);
	return event;
}

void showq_reader_fini(struct showq_reader *r)
{
	str_fini(&r->in);
	arena_fini(&r->arena);
	*r = (struct showq_reader){0};
}
