/* SPDX-License-Identifier: ISC */
#include "bounce/bounce.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/conf/core.h"
#include "lib/mail/verp.h"
#include "lib/post/post.h"
#include "lib/post/transcript.h"
#include "lib/sys/clock.h"

/*
 * Who is told what. The sender, as the NOTIFY flags of each recipient say; the postmaster, as
 * notify_classes says. A notice has the null sender, and mail from the null sender gets none, so
 * that no two hosts can send notices to each other for ever. What the postmaster gets comes from
 * double_bounce_sender; when that cannot be delivered, it ends there.
 */
struct found {
	struct bounce_record record;
	size_t seq;
	size_t first; /* seq of the first record of this recipient */
};

enum { REPEATED_NEAR = 1000 };

struct findings {
	struct found *items;
	size_t count, cap;
};

static const char *const kind_words[] = {
    [REPORT_FAILURE] = "non-delivery",
    [REPORT_DELAY] = "delay",
    [REPORT_SUCCESS] = "delivery status",
    [REPORT_VERIFY] = "delivery status",
};

/* ---- the log --------------------------------------------------------------------------------- */

static int by_index(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->record.index != y->record.index)
		return x->record.index < y->record.index ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void read_log(
    struct bounce *bounce, const char *id, struct arena *arena, struct findings *out)
{
	struct bounce_log *log = bounce_log_open(bounce->queue, bounce->name, id);
	struct bounce_record record;

	while (log && bounce_log_next(log, arena, &record)) {
		if (out->count == out->cap) {
			size_t cap = out->cap ? 2 * out->cap : 16;
			struct found *more = arena_zero(arena, cap, sizeof(*more));

			if (out->count)
				memcpy(more, out->items, out->count * sizeof(*more));
			out->items = more;
			out->cap = cap;
		}
		out->items[out->count] = (struct found){record, out->count, out->count};
		out->count++;
	}
	bounce_log_close(&log);
}

static bool is_same(const struct bounce_record *a, const struct bounce_record *b)
{
	return a->index == b->index && !strcmp(a->address, b->address) &&
	       !strcmp(a->action, b->action) && !strcmp(a->reason, b->reason);
}

/* A recipient may have several targets: only what a crash made an agent say twice is dropped. */
static void drop_repeated(struct findings *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		bool again = false;

		/* what is said again comes soon; to look at all of many would take for ever */
		for (size_t k = kept; k > 0 && kept - k < REPEATED_NEAR && !again; k--)
			again = is_same(&f->items[k - 1].record, &f->items[i].record);
		if (!again)
			f->items[kept++] = f->items[i];
	}
	f->count = kept;
}

/* Each try of a recipient leaves a record; the last one counts. */
static void keep_latest(struct findings *f)
{
	size_t kept = 0, first = 0;

	if (f->count == 0)
		return;
	qsort(f->items, f->count, sizeof(*f->items), by_index);
	for (size_t i = 0; i < f->count; i++) {
		if (i == 0 || f->items[i].record.index != f->items[i - 1].record.index)
			first = f->items[i].seq;
		if (i + 1 < f->count && f->items[i].record.index == f->items[i + 1].record.index)
			continue;
		f->items[kept] = f->items[i];
		f->items[kept++].first = first;
	}
	f->count = kept;
}

/*
 * The defer log of a message may tell of recipients that were delivered in the meantime; so may its
 * bounce log, when qmgr died between the record and the recipient's mark.
 */
static void drop_finished(struct findings *f, struct message *m, enum report_kind kind)
{
	struct rcpt_cursor cursor = {0, 0};
	struct arena scratch = {0};
	struct recipient rcpt;
	size_t kept = 0, at = 0;
	struct err err;

	while (at < f->count && message_next_rcpt(m, &cursor, &scratch, &rcpt, &err) == 1) {
		uint32_t index = (uint32_t)cursor.index - 1;

		arena_reset(&scratch);
		if (f->items[at].record.index != index)
			continue;
		if (rcpt.status != RCPT_DONE && (kind != REPORT_DELAY || rcpt.status == RCPT_TODO))
			f->items[kept++] = f->items[at];
		at++;
	}
	/* Records beyond what could be read are told rather than dropped. */
	while (at < f->count)
		f->items[kept++] = f->items[at++];
	f->count = kept;
	arena_fini(&scratch);
}

/* ---- one notice ---------------------------------------------------------------------------------
 */

static bool is_wanted(uint32_t notify, enum report_kind kind)
{
	static const uint32_t flags[] = {
	    [REPORT_FAILURE] = NOTIFY_FAILURE,
	    [REPORT_DELAY] = NOTIFY_DELAY,
	    [REPORT_SUCCESS] = NOTIFY_SUCCESS,
	    [REPORT_VERIFY] = 0, /* is wanted by who asked for it */
	};

	if (notify & NOTIFY_NEVER)
		return false;
	if (notify == 0)
		return kind != REPORT_SUCCESS;
	return notify & flags[kind];
}

struct letter {
	const char *to, *from, *reader; /* reader: "sender", "postmaster" for the log */
	bool copy;
	const struct made *made;
	uint32_t index; /* of the one recipient that it is about, or NOTICE_OF_ALL */
};

static enum notice_reader reader_of(const struct letter *letter)
{
	return letter->copy ? READER_POSTMASTER : READER_SENDER;
}

/* Is the reader to be told of this recipient? */
static bool is_chosen(const struct deliver_request *about, enum report_kind kind,
    const struct letter *letter, uint32_t notify)
{
	/* the postmaster sees all, and so does who asked for a report (sendmail -v, -bv) */
	if (letter->copy || kind == REPORT_VERIFY || is_wanted(notify, kind))
		return true;
	/* the end of a delay is news for who wants to hear of delays */
	return kind == REPORT_SUCCESS && about->flags & DELIVER_WARNED &&
	       is_wanted(notify, REPORT_DELAY);
}

/* Has somebody who died then told it in a notice of its own (VERP), or of all? */
static bool is_told(const struct found *found, const struct letter *letter, bool alone)
{
	const uint32_t index = alone ? found->record.index : NOTICE_OF_ALL;

	return found->first < made_records(letter->made, reader_of(letter), index);
}

static struct bounce_record *choose(const struct findings *f, const struct deliver_request *about,
    enum report_kind kind, const struct letter *letter, bool alone, struct arena *arena,
    size_t *count_out)
{
	struct bounce_record *records = arena_zero(arena, f->count + 1, sizeof(*records));

	*count_out = 0;
	for (size_t i = 0; i < f->count; i++)
		if (is_chosen(about, kind, letter, f->items[i].record.notify) &&
		    !is_told(&f->items[i], letter, alone))
			records[(*count_out)++] = f->items[i].record;
	return records;
}

static void describe(struct bounce *bounce, const struct deliver_request *about,
    enum report_kind kind, const struct message *m, const struct letter *letter, struct report *r)
{
	const bool full = kind == REPORT_FAILURE && (!letter->copy || !*about->sender) &&
	                  strcmp(about->ret, "HDRS") != 0 /* nobody else gets what had no sender */
	                  && !(bounce->params.redact && about->env_flags & ENV_REQUIRETLS);

	*r = (struct report){
	    .kind = kind,
	    .copy = letter->copy,
	    .template = &bounce->templates.items[kind],
	    .hostname = bounce->core->myhostname,
	    .origin = bounce->core->myorigin,
	    .mail_name = bounce->core->mail_name,
	    .to = letter->to,
	    .now_us = clock_wall_us(),
	    .id = about->id,
	    .sender = about->sender,
	    .envid = about->envid,
	    .arrival_us = (int64_t)about->arrival_us,
	    .smtputf8 = about->env_flags & ENV_SMTPUTF8,
	    .original = REPORT_NO_ORIGINAL,
	    .with_orig = bounce->params.enable_original_recipient,
	    .lifetime = bounce->params.maximal_queue_lifetime,
	    .threaded = bounce->params.enable_threaded_bounces,
	    .message_id = about->message_id ? about->message_id : "",
	};
	if (!m)
		return;
	r->eight_bit = m->env.flags & ENV_HIGH_BYTES;
	r->original = full && m->content_len <= (uint64_t)bounce->params.bounce_size_limit
	                  ? REPORT_FULL
	                  : REPORT_HEADERS;
}

static int send_report(struct bounce *bounce, const struct bounce_request *request,
    enum report_kind kind, const struct bounce_record *records, size_t count,
    const struct message *m, const struct letter *letter, struct arena *arena)
{
	const char *id = request->message.id;
	char *new_id = arena_alloc(arena, QUEUE_ID_MAX);
	struct enqueued enqueued;
	struct report r;
	struct err err;

	if (count == 0)
		return 0;
	queue_new_id(bounce->queue, new_id);
	describe(bounce, &request->message, kind, m, letter, &r);
	r.new_id = new_id;
	r.records = records;
	r.count = count;
	if (made_begin(letter->made, reader_of(letter), letter->index, new_id, &err) < 0 ||
	    enqueue_report(bounce, &r, m, letter->from, arena, &enqueued, &err) < 0) {
		log_warn("%s: %s %s notification failed: %s", id, letter->reader, kind_words[kind],
		    err.text);
		return -1;
	}
	made_end(letter->made, reader_of(letter), letter->index, new_id, enqueued.loc.lane < 0);
	enqueue_announce(bounce, &enqueued);
	log_info("%s: %s %s notification: %s", id, letter->reader, kind_words[kind], new_id);
	return 0;
}

static bool is_verp(
    const struct bounce *bounce, const struct deliver_request *about, enum report_kind kind)
{
	return kind == REPORT_FAILURE && !bounce->params.disable_verp_bounces && about->verp &&
	       strlen(about->verp) == VERP_DELIMITERS && *about->sender;
}

/* With VERP: a notice for each recipient, to the sender that its mail had. */
static int send_letters(struct bounce *bounce, const struct bounce_request *request,
    enum report_kind kind, const struct findings *f, const struct message *m,
    const struct letter *letter, struct arena *arena)
{
	const struct deliver_request *about = &request->message;
	const bool alone = is_verp(bounce, about, kind);
	size_t count;
	struct bounce_record *records = choose(f, about, kind, letter, alone, arena, &count);

	if (!alone)
		return send_report(bounce, request, kind, records, count, m, letter, arena);
	for (size_t i = 0; i < count; i++) {
		struct letter one = *letter;
		struct str to = {0};

		verp_sender(&to, about->verp, about->sender, records[i].address);
		if (!letter->copy)
			one.to = arena_strdup(arena, str_text(&to));
		one.index = records[i].index;
		str_fini(&to);
		if (send_report(bounce, request, kind, &records[i], 1, m, &one, arena) < 0)
			return -1;
	}
	return 0;
}

/* The class of notify_classes that a copy belongs to; 0: there are none. */
static uint32_t postmaster_class(enum report_kind kind, bool null_sender)
{
	if (kind == REPORT_DELAY)
		return null_sender ? 0 : CLASS_DELAY;
	if (kind != REPORT_FAILURE)
		return 0;
	return null_sender ? CLASS_2BOUNCE : CLASS_BOUNCE;
}

static const char *postmaster_address(const struct bounce *bounce, uint32_t class_)
{
	if (class_ == CLASS_DELAY)
		return bounce->params.delay_notice_recipient;
	return class_ == CLASS_2BOUNCE ? bounce->params.twobounce_notice_recipient
	                               : bounce->params.bounce_notice_recipient;
}

static int send_all(struct bounce *bounce, const struct bounce_request *request,
    enum report_kind kind, const struct findings *f, const struct message *m,
    const struct made *made, struct arena *arena)
{
	const struct deliver_request *about = &request->message;
	const char *doubled = post_double_bounce(bounce->core, arena);
	const uint32_t class_ = postmaster_class(kind, !*about->sender);
	struct letter letter = {.from = doubled,
	    .reader = "postmaster",
	    .copy = true,
	    .made = made,
	    .index = NOTICE_OF_ALL};

	if (*about->sender && text_eq_nocase(about->sender, doubled)) {
		if (kind == REPORT_FAILURE)
			log_warn("%s: undeliverable postmaster notification discarded", about->id);
		return 0;
	}
	if (*about->sender) {
		const struct letter first = {
		    about->sender, "", "sender", false, made, NOTICE_OF_ALL};

		if (send_letters(bounce, request, kind, f, m, &first, arena) < 0)
			return -1;
	}
	if (!(class_ & transcript_classes(bounce->core->notify_classes)))
		return 0;
	letter.to = route_rewrite(bounce->router, postmaster_address(bounce, class_), arena);
	return send_letters(bounce, request, kind, f, m, &letter, arena);
}

int notice_send(struct bounce *bounce, const struct bounce_request *request, enum report_kind kind,
    int log_fd, struct arena *arena)
{
	struct findings f = {0};
	struct made made;
	struct location loc;
	struct message m;
	struct err err;
	int opened, result;

	read_log(bounce, request->message.id, arena, &f);
	if (f.count == 0)
		return 0;
	if (made_init(&made, bounce, log_fd, request->message.id, arena) < 0)
		return -1;
	if (!strcmp(bounce->name, "trace"))
		drop_repeated(&f);
	else
		keep_latest(&f);
	deliver_location(&request->message, &loc);
	opened = message_open(bounce->queue, &loc, request->message.id, MESSAGE_ENVELOPE, &m, &err);
	if (opened == 1)
		opened =
		    message_find(bounce->queue, request->message.id, MESSAGE_ENVELOPE, &m, &err);
	if (opened < 0)
		log_warn("%s: original message is not returned: %s", request->message.id, err.text);
	if (opened == 0 && strcmp(bounce->name, "trace") != 0)
		drop_finished(&f, &m, kind);
	result = send_all(bounce, request, kind, &f, opened == 0 ? &m : NULL, &made, arena);
	if (opened == 0)
		message_close(&m);
	made_fini(&made);
	return result;
}
