/* SPDX-License-Identifier: ISC */
/*
 * Recipients that are given up: what bounce(8) is to write down of them, and their marks when it
 * has. One request for a message is under way; what bounces meanwhile goes with the next one, so
 * that a thousand unknown users cost a few syncs of the log and not a thousand.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "qmgr/qmgr.h"

enum { BATCH_MAX = 500 };

void mail_add_bounce(struct mail *mail, struct deferral *d)
{
	d->next = NULL;
	if (mail->bounces)
		mail->last_bounce->next = d;
	else
		mail->bounces = d;
	mail->last_bounce = d;
	mail->waiting++;
}

/* The bounce records are safe: now the recipients may be marked. */
static void mark_bounced(struct mail *mail, const struct deferral *batch)
{
	struct message m;
	uint8_t status;
	struct err err = {0};
	int rc = message_open(mail->qmgr->queue, &mail->loc, mail->id, 0, &m, &err);

	if (rc == 0) {
		for (const struct deferral *d = batch; d && rc >= 0; d = d->next) {
			uint32_t index = d->record.index;

			rc = message_take(&m, index, 1, &status, &err);
			if (rc != 0)
				continue; /* somebody has it in hand */
			rc = message_mark(&m, index, RCPT_BOUNCED, &err);
			/* a lane's descriptor stays open: nothing else ends the lock */
			message_release(&m, index, 1);
		}
		message_close(&m);
	}
	if (rc < 0)
		log_warn("%s: mark recipient as bounced: %s", mail->id, err.text);
}

static void logged(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg)
{
	struct deferral *d = arg, *next;

	(void)answer;
	if (ok)
		mark_bounced(mail, d);
	mail->bounced |= ok;
	mail->unlogged |= !ok;
	for (; d; d = next) {
		next = d->next;
		mail->waiting--;
		if (ok)
			free(d);
		else
			mail_add_deferral(mail, d);
	}
	mail->bouncing = false;
	mail_settled(mail);
}

void mail_send_bounces(struct mail *mail)
{
	struct bounce_request request = {0};
	struct bounce_record *records;
	struct deferral *batch = mail->bounces, *last = NULL;
	size_t count = 0;

	if (mail->bouncing || !batch)
		return;
	records = alloc_array(NULL, BATCH_MAX, sizeof(*records));
	for (struct deferral *d = batch; d && count < BATCH_MAX; d = d->next) {
		records[count++] = d->record;
		last = d;
	}
	mail->bounces = last->next;
	last->next = NULL;
	mail->bouncing = true;
	request.records = (struct frame_list){records, count};
	bouncer_ask(&mail->qmgr->bounce, BOUNCE_APPEND, mail, &request, logged, batch);
	free(records);
}
