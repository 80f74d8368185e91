/* SPDX-License-Identifier: ISC */
#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include "lib/base/arena.h"
#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/conf/core.h"
#include "lib/event/loop.h"
#include "lib/peer/bounce.h"
#include "lib/peer/deliver.h"
#include "lib/peer/note.h"
#include "lib/route/route.h"
#include "qmgr/jumps.h"
#include "qmgr/params.h"
#include "qmgr/sched.h"

/*
 * The queue manager. A message in memory (struct mail) has some of its recipients loaded; what of
 * them is delivered when is the scheduler's (sched.h). An agent's answer settles each recipient;
 * more are loaded meanwhile, and when the last one is settled the message is finished, bounced or
 * deferred (finish.c).
 */
struct qmgr;

/* Deferred recipients, kept until the message goes back to the deferred queue. */
struct deferral {
	struct deferral *next;
	struct bounce_record record;
	char text[]; /* what it points at */
};

struct mail {
	struct qmgr *qmgr;
	const char *id;
	struct location loc;
	const char *sender, *envid, *ret, *message_id;
	const char *client_name, *client_addr, *client_port, *helo, *protocol;
	const char *sasl_method, *sasl_username, *verp;
	uint64_t arrival_us, queued_us, active_us, content_len;
	uint32_t env_flags, generation, rcpt_count;
	struct rcpt_cursor cursor; /* recipients before it have been loaded */
	int64_t read_ms;           /* when recipients were loaded last */
	struct task *tasks;
	size_t pending;      /* recipients in memory: not settled yet */
	size_t waiting;      /* answers of bounce(8) not here yet */
	bool bounced;        /* there is a bounce log */
	bool bouncing;       /* some are on their way to it */
	bool flushed;        /* the notice has been sent */
	bool traced;         /* there may be a trace log */
	bool reported;       /* its report has been sent */
	bool warned;         /* the sender has been told of the delay */
	bool warning_failed; /* not in this attempt again */
	bool logged;         /* what is deferred is in the defer log */
	bool parts_logged;   /* of many deferrals the first are in the log, and not in memory */
	bool skipped;        /* some recipient was in other hands: look again */
	bool was_deferred;   /* there may be a defer log */
	bool urgent;         /* somebody waits for it: destinations at rest are tried */
	bool flushing;       /* the operator or somebody who waits for it wants it tried */
	bool forced;         /* the operator wants it to expire (postsuper -e) */
	bool unlogged;       /* bounce(8) could not write: no second try in a row */
	const char *damaged; /* why, when the record cannot be delivered */
	struct deferral *deferrals;
	size_t deferral_count;
	struct deferral *bounces, *last_bounce; /* not sent to bounce(8) yet */
	struct arena arena;                     /* deferrals: empty while all goes well */
	struct timer timer;                     /* to go on later */
	void (*later)(struct mail *mail);
	char text[]; /* what the pointers above point at */
};

/* Requests to bounce(8) wait here while all channels are busy. */
struct bouncer {
	struct pool pool;
	struct list waiting, failed; /* failed: until the timer fires */
	bool away;                   /* cannot be reached, until then */
	struct timer retry;
};

/* Messages that a scan has found and that are taken up step by step. */
struct found_list {
	struct found *items;
	size_t next, count, cap;
	bool flush; /* all of it shall be tried, not only what is due */
};

struct qmgr {
	struct service *service;
	struct loop *loop;
	const struct core_params *core;
	const struct qmgr_params *params;
	struct queue *queue;
	struct router *router;
	char *double_bounce; /* double_bounce_sender as an address */
	struct map *mails;   /* id -> struct mail */
	struct map *dests;
	struct list transports;
	struct bouncer bounce, defer, trace;
	size_t rcpts_loaded;
	uint32_t next_id;
	struct rate_maps rates;
	struct slowdowns slowdowns;
	struct jumps jumps;  /* of the wall clock */
	struct list intakes; /* connections at public/qmgr */
	bool behind;         /* more mail came than there is room for: they have been told */
	bool rescan_new;     /* notes were turned away, or a scan was asked for */
	bool check_lanes;    /* the next journal scan looks at checksums and second homes */
	bool scan_all;       /* flush: deferred mail whatever its time */
	bool scan_after;     /* a run was asked for during a flush */
	int scan_slice;      /* of the deferred queue */
	int scan_slices;     /* left to list in this run; 0: no run under way */
	int scan_failures;   /* in a row, of the system, in this scan */
	struct found_list found_new, found_deferred; /* listed, not taken yet */
	struct found_list found_urgent;              /* asked for by flush(8) */
	struct timer scan_timer, run_timer, sweep_timer, kick_timer;
};

/* ---- core.c ------------------------------------------------------------------------------- */
/* Everything but the listening socket. The caller has set service, loop, core, params, queue and
 * router. */
void qmgr_start(struct qmgr *q);
/* All transports get a turn, once, at the end of this turn of the loop. */
void qmgr_kick(struct qmgr *q);

/* ---- mail.c: messages in memory ---------------------------------------------------------- */
bool qmgr_has_room(const struct qmgr *q);
void mail_from_note(struct qmgr *q, const struct note *note);
/* From the queue (a scan). Sets damaged files aside. false: the system failed (logged); the mail
 * stays where it is. */
enum urgency {
	URGENT_NOT,
	URGENT_QUEUE, /* the operator flushes the queue */
	URGENT_MAIL   /* somebody waits for this message: destinations at rest are tried */
};
bool mail_activate(
    struct qmgr *q, const struct location *loc, const char *id, enum urgency urgency);
void mail_free(struct mail *mail);
/* Nothing is left in memory: loads the next recipients, or settles the mail. */
void mail_load_more(struct mail *mail);
/* Loads at most so many while others are being delivered. */
void mail_read_more(struct mail *mail, size_t max);
void mail_after(struct mail *mail, int64_t delay_ms, void (*fn)(struct mail *mail));

/* ---- deliver.c: requests to agents and their results ------------------------------------- */
/* Sends the entry to the agent on a taken channel; false: the channel broke, the entry stays. */
bool entry_deliver(struct entry *entry, struct channel *channel);
void deliver_answered(struct channel *channel, const struct frame *frame, void *job);
/* The entry was given to an agent in vain: queued again, or in the end deferred and freed. */
void entry_unanswered(struct entry *entry);
void entry_fill_request(const struct mail *mail, struct deliver_request *request);

/* ---- bouncer.c: bounce(8) ----------------------------------------------------------------- */
void bouncer_init(struct bouncer *b, struct qmgr *q, const char *service);
void bouncer_retry(struct bouncer *b); /* what waits for the end of a pause: now (flush) */
/* done(mail, ok, answer) is called once; records are encoded at once and may go away. */
void bouncer_ask(struct bouncer *b, uint16_t type, struct mail *mail,
    const struct bounce_request *request,
    void (*done)(struct mail *mail, bool ok, const struct bounce_answer *answer, void *arg),
    void *arg);

/* ---- finish.c: the end of a message ------------------------------------------------------- */
/* DELIVER_* of every request that is about this mail. */
uint32_t mail_request_flags(const struct mail *mail);
void mail_settle_rcpt(struct mail *mail, struct rcpt *rcpt, const struct rcpt_result *result);
/* Something of the mail came to an end: when it was the last, loads more or ends the message. */
void mail_settled(struct mail *mail);
void mail_complete(struct mail *mail);
void mail_add_deferral(struct mail *mail, struct deferral *d);
void mail_forget_deferrals(struct mail *mail);

/* ---- bounced.c: recipients that are given up ---------------------------------------------- */
/* It waits for mail_settled, which has all of them written down together. */
void mail_add_bounce(struct mail *mail, struct deferral *d);
void mail_send_bounces(struct mail *mail);

/* ---- scan.c -------------------------------------------------------------------------------- */
void scan_init(struct qmgr *q);
void scan_new_mail(struct qmgr *q); /* journal, incoming, active */
void scan_deferred(struct qmgr *q, bool all);
/* This deferred message now, before all else that waits on disk. */
void scan_take_urgent(struct qmgr *q, const char *id);
void scan_room(struct qmgr *q); /* a message left memory: goes on with what waited for room */

/* ---- intake.c: notes and triggers ---------------------------------------------------------- */
void intake_accept(struct qmgr *q, int fd);
/* Mail has been turned away (or no longer is): whoever takes mail is told when that is new. */
void intake_tell(struct qmgr *q, bool behind);

/* ---- show.c -------------------------------------------------------------------------------- */
/* Appends the frames that answer SCHEDULER_ASK. */
void show_scheduler(const struct qmgr *q, struct str *out);

#endif
