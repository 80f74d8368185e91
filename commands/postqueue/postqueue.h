/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTQUEUE_POSTQUEUE_H
#define COMMANDS_POSTQUEUE_POSTQUEUE_H

#include "lib/peer/showq.h"
#include "lib/queue/where.h"
#include "lib/queue/store.h"
#include "lib/service/command.h"

/* postqueue(1): what its modules share. An action is one row of the table in main.c. */
struct postqueue_params {
	const char *authorized_mailq_users, *authorized_flush_users;
	const char *flush_service_name;
	int trigger_timeout;
};

struct postqueue {
	struct command command;
	struct postqueue_params params;
	struct queue_params queue_params;
	struct where *where; /* --where; NULL: all messages */
	bool count;          /* --count: sums alone */
};

/* Ends the process unless the list of users has the caller. `what` completes "not allowed to". */
void postqueue_require(const char *parameter, const char *list, const char *what);

/* The form of a listing. Each function appends to `out`, which list.c writes. */
struct look {
	void (*message)(struct look *look, const struct showq_message *m);
	void (*rcpt)(struct look *look, const struct showq_rcpt *r);
	void (*message_end)(struct look *look);
	void (*end)(struct look *look);
	/* Takes what is in `out`, which is then cleared; NULL: it is written to standard output. */
	void (*take)(struct look *look);
	const struct postqueue *q; /* for take */
	struct str out;
	bool long_ids, selecting;
	struct str last_reason; /* said once for all recipients that wait for it */
	unsigned long count;    /* messages shown */
	unsigned long bytes;
	unsigned long rcpts; /* of the message */
};
extern const struct look text_look, json_look;
/* Sums alone. */
extern const struct look text_count_look, json_count_look;

/* The listing, in the form of look, of what q->where selects. The exit status. */
int postqueue_list(struct postqueue *q, struct look *look);

/* Actions. The result is the exit status. */
int list_text(struct postqueue *q, const char *arg);
int list_json(struct postqueue *q, const char *arg);
int flush_all(struct postqueue *q, const char *arg);
int flush_id(struct postqueue *q, const char *id);
int flush_site(struct postqueue *q, const char *site);
int scheduler_text(struct postqueue *q, const char *arg);
int scheduler_json(struct postqueue *q, const char *arg);

#endif
