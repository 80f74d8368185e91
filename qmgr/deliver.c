/* SPDX-License-Identifier: ISC */
/* Requests to delivery agents and what their answers mean for mail and destination. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/verp.h"
#include "qmgr/qmgr.h"

/* An agent that ended without an answer: the entry goes to another; what was done is marked. */
enum { TRIES_MAX = 3, KEEP_RECENT_MS = 1000 };

void entry_fill_request(const struct mail *mail, struct deliver_request *request)
{
	*request = (struct deliver_request){
	    .id = mail->id,
	    .sender = mail->sender,
	    .env_flags = mail->env_flags,
	    .content_len = mail->content_len,
	    .arrival_us = mail->arrival_us,
	    .queued_us = mail->queued_us,
	    .active_us = mail->active_us,
	    .envid = mail->envid,
	    .ret = mail->ret,
	    .client_name = mail->client_name,
	    .client_addr = mail->client_addr,
	    .client_port = mail->client_port,
	    .helo = mail->helo,
	    .protocol = mail->protocol,
	    .sasl_method = mail->sasl_method,
	    .sasl_username = mail->sasl_username,
	    .message_id = mail->message_id,
	    .verp = mail->verp,
	};
	deliver_set_location(request, &mail->loc);
}

/* Is the session worth keeping? When more mail waits, or has just been there. */
static bool keep_session(const struct dest *dest)
{
	int64_t now = loop_now_ms(dest->transport->qmgr->loop);

	return dest->todo_count > 0 || dest->busy > 1 ||
	       (dest->last_done_ms && now - dest->last_done_ms < KEEP_RECENT_MS);
}

bool entry_deliver(struct entry *entry, struct channel *channel)
{
	const struct mail *mail = entry->task->mail;
	struct qmgr *q = mail->qmgr;
	struct deliver_rcpt *rcpts = alloc_array(NULL, entry->count, sizeof(*rcpts));
	size_t count = 0;
	struct deliver_request request;
	struct str frame = {0}, sender = {0};
	bool sent;

	entry_fill_request(mail, &request);
	request.nexthop = entry->dest->nexthop;
	request.flags = mail_request_flags(mail) | (keep_session(entry->dest) ? DELIVER_KEEP : 0) |
	                (slowdowns_need_hosts(mail->qmgr) ? DELIVER_TELL_RELAY : 0);
	for (const struct rcpt *r = entry->first; r; r = r->next)
		rcpts[count++] = (struct deliver_rcpt){.index = r->index,
		    .address = r->address,
		    .orig = r->orig,
		    .orcpt = r->orcpt,
		    .notify = r->notify};
	request.rcpts = (struct frame_list){rcpts, count};
	if (*mail->verp) { /* such a bundle has one recipient */
		verp_sender(&sender, mail->verp, mail->sender, rcpts[0].address);
		request.sender = str_text(&sender);
	}
	entry->request_id = ++q->next_id;
	frame_encode(&frame, DELIVER_REQUEST, entry->request_id, &deliver_request_table, &request);
	sent = channel_send(channel, &frame, entry);
	str_fini(&frame);
	str_fini(&sender);
	free(rcpts);
	return sent;
}

/*
 * No answer. The agent has marked what it delivered; another agent looks at the marks. In the end
 * retry(8) defers the recipients; when it is retry itself that dies, they are deferred here.
 */
void entry_unanswered(struct entry *entry)
{
	static const struct rcpt_result failed = {.outcome = OUTCOME_DEFERRED,
	    .dsn = "4.3.0",
	    .action = "delayed",
	    .reason = "unknown mail transport error",
	    .diag = "",
	    .mta = ""};
	struct dest *dest = entry->dest;
	struct mail *mail = entry->task->mail;

	if (++entry->tries < TRIES_MAX) {
		entry_put_back(entry);
		return;
	}
	if (!dest->transport->is_retry) {
		entry_to_retry(entry, failed.dsn, failed.reason);
		return;
	}
	for (struct rcpt *r = entry->first; r; r = r->next)
		mail_settle_rcpt(mail, r, &failed);
	entry_free(entry);
	dest_refresh(dest);
	mail_settled(mail);
}

static void settle_entry(struct entry *entry, const struct deliver_result *result)
{
	const struct rcpt_result *results = result->rcpts.items;
	struct mail *mail = entry->task->mail;
	size_t i = 0;

	if (*result->damaged && !mail->damaged)
		mail->damaged =
		    arena_strdup(&mail->arena, result->damaged); /* finish.c looks itself */
	for (struct rcpt *r = entry->first; r; r = r->next)
		mail_settle_rcpt(mail, r, &results[i++]);
	entry_free(entry);
	mail_settled(mail);
}

static bool is_dsn(const char *text)
{
	size_t subject, detail;

	if (!*text || !strchr("245", *text) || text[1] != '.')
		return false;
	subject = strspn(text + 2, "0123456789");
	if (subject == 0 || subject > 3 || text[2 + subject] != '.')
		return false;
	detail = strspn(text + 3 + subject, "0123456789");
	return detail > 0 && detail <= 3 && !text[3 + subject + detail];
}

static int check_result(const struct rcpt_result *result, uint32_t index, struct err *err)
{
	bool failed = result->outcome == OUTCOME_DEFERRED || result->outcome == OUTCOME_BOUNCED;

	if (result->index != index)
		return err_set(err, 0, "recipient %u where %u was asked for", result->index, index);
	if (result->outcome < OUTCOME_SENT || result->outcome > OUTCOME_EXPANDED)
		return err_set(err, 0, "unknown outcome %u", result->outcome);
	if (failed && !is_dsn(result->dsn))
		return err_set(err, 0, "status \"%.20s\"", result->dsn);
	return 0;
}

/*
 * An answer counts as a whole or not at all: one result for each recipient that was asked for, in
 * that order. Of an agent that mixes them up nothing is believed; what it marked is done.
 */
static int read_result(const struct frame *frame, const struct entry *entry,
    struct deliver_result *result, struct arena *arena, struct err *err)
{
	const struct rcpt_result *results;

	if (frame->type != DELIVER_RESULT)
		return err_set(err, 0, "type %u", frame->type);
	if (frame->id != entry->request_id)
		return err_set(err, 0, "to request %u, not to %u", frame->id, entry->request_id);
	if (frame_decode(frame, &deliver_result_table, result, arena, err) < 0)
		return -1;
	if (result->rcpts.count != entry->count)
		return err_set(
		    err, 0, "%zu results for %u recipients", result->rcpts.count, entry->count);
	results = result->rcpts.items;
	for (const struct rcpt *r = entry->first; r; r = r->next) {
		if (check_result(results++, r->index, err) < 0)
			return -1;
	}
	if (*result->dead_reason && !is_dsn(result->dead_dsn))
		return err_set(err, 0, "status \"%.20s\"", result->dead_dsn);
	return 0;
}

static void give_back(
    struct channel *channel, struct dest *dest, const struct deliver_result *result)
{
	if (result->last) {
		channel_close(channel);
		return;
	}
	channel_give_back(channel, result->reusable_ms ? dest : NULL, result->reusable_ms);
}

void deliver_answered(struct channel *channel, const struct frame *frame, void *job)
{
	struct entry *entry = job;
	struct dest *dest = entry->dest;
	struct transport *t = dest->transport;
	struct deliver_result result;
	struct arena arena = {0};
	struct err err = {0};

	if (!frame || read_result(frame, entry, &result, &arena, &err) < 0) {
		if (frame)
			log_warn("%s: malformed answer: %s", channel->pool->path, err.text);
		channel_close(channel);
		dest_ended(dest, NULL);
		entry_unanswered(entry);
	} else {
		give_back(channel, dest, &result);
		dest_ended(dest, &result);
		settle_entry(entry, &result);
	}
	arena_fini(&arena);
	dest_refresh(dest);
	dest_free_if_idle(dest);
	transport_run(t);
}
