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
#include "qmgr/feedback.h"
#include "qmgr/gate.h"
#include "qmgr/jumps.h"
#include "qmgr/params.h"

/*
 * The scheduler. A message in memory (struct mail) has some of its recipients loaded (struct rcpt);
 * recipients for the same (transport, nexthop) form bundles (struct entry) that wait in the queue
 * of their destination (struct dest) until the destination's window and the transport's agents
 * have room. An agent's answer settles each recipient; when the last loaded one is settled, more
 * are loaded, and at the end the message is finished, bounced or deferred (finish.c).
 */

enum { TRANSPORT_NAME_MAX = 64 };

struct qmgr;
struct mail;
struct dest;
struct transport;

/* One recipient, as long as its mail's present chunk is in memory. */
struct rcpt {
	uint32_t index, notify;
	const char *address, *orig, *orcpt;
};

/* A bundle: recipients of one mail for one destination; one delivery request. */
struct entry {
	struct list link; /* in dest->todo */
	struct dest *dest;
	struct mail *mail;
	struct rcpt **rcpts;
	size_t count, cap;
	uint32_t request_id; /* of the request under way */
	int tries;
};

/* Deferred recipients, kept until the message goes back to the deferred queue. */
struct deferral {
	struct deferral *next;
	struct bounce_record record;
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
	size_t loaded;             /* recipients of the chunk in memory */
	size_t pending;            /* of the chunk: not settled yet */
	size_t waiting;            /* answers of bounce(8) not here yet */
	bool bounced;              /* there is a bounce log */
	bool flushed;              /* the notice has been sent */
	bool traced;               /* there may be a trace log */
	bool reported;             /* its report has been sent */
	bool warned;               /* the sender has been told of the delay */
	bool warning_failed;       /* not in this attempt again */
	bool logged;               /* what is deferred is in the defer log */
	bool skipped;              /* some recipient was in other hands: look again */
	bool was_deferred;         /* there may be a defer log */
	bool urgent;               /* somebody waits for it: destinations at rest are tried */
	bool forced;               /* the operator wants it to expire (postsuper -e) */
	bool unlogged;             /* bounce(8) could not write: no second try in a row */
	const char *damaged;       /* why, when the record cannot be delivered */
	struct deferral *deferrals;
	size_t deferral_count;
	struct arena arena; /* deferrals: empty while all goes well */
	void *chunk;        /* the loaded recipients, in one piece of memory */
	struct timer timer; /* to go on later */
	void (*later)(struct mail *mail);
	char text[]; /* what the pointers above point at */
};

struct dest {
	struct list ready; /* in transport->ready while it has work and room */
	struct transport *transport;
	const char *nexthop; /* given to the agent */
	const char *key;     /* in qmgr->dests */
	struct list todo;    /* struct entry */
	size_t todo_count;
	struct feedback feedback; /* and the window: deliveries that may be under way */
	int busy;                 /* that are */
	int64_t last_used_ms, last_done_ms;
	int64_t clog_next_ms;               /* no warning before */
	const char *dead_reason, *dead_dsn; /* while it rests; allocated */
	struct timer timer;                 /* end of the rest, or of an idle destination's life */
	struct gate_dest gate;
	struct timer wake; /* the gate opens */
};

/* A connection to a delivery agent or to bounce(8), non-blocking, one request under way. */
struct channel {
	struct list link; /* in pool->idle or pool->busy */
	struct pool *pool;
	struct watch watch;
	int fd;
	bool fresh; /* has not answered yet */
	struct str in, out;
	void *job;               /* what it is busy with... */
	int64_t since_ms;        /* ...and since when */
	const struct dest *kept; /* holds an open session to this destination... */
	int64_t kept_until_ms;   /* ...until then */
	int64_t idle_since_ms;
};

/* All channels to one service. */
struct pool {
	struct qmgr *qmgr;
	char path[128]; /* private/smtp */
	struct list idle, busy;
	size_t count, limit;
	int answer_s; /* how long an answer may take */
	/* One frame came back for the channel's job, or (frame NULL) the connection ended without.
	 */
	void (*answered)(struct channel *channel, const struct frame *frame, void *job);
};

/* What main.cf says of a transport: <transport>_X, or else default_X. */
struct transport_settings {
	struct feedback_rules feedback;
	int recipient_limit;                  /* in one delivery */
	int rate_delay, transport_rate_delay; /* seconds */
};

struct transport {
	struct list link; /* in qmgr->transports */
	struct qmgr *qmgr;
	char name[TRANSPORT_NAME_MAX];
	bool is_retry;
	struct transport_settings set;
	struct pool pool;
	struct list ready; /* struct dest, served in turn */
	bool dead;         /* the service cannot be reached, until the timer fires */
	struct timer timer;
	struct gate_transport gate;
	struct timer wake; /* the gate opens */
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
	struct jumps jumps;  /* of the wall clock */
	struct list intakes; /* connections at public/qmgr */
	bool behind;         /* more mail came than there is room for: they have been told */
	bool rescan_new;     /* notes were turned away, or a scan was asked for */
	bool check_lanes;    /* the next journal scan looks at checksums and second homes */
	bool scan_all;       /* flush: deferred mail whatever its time */
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
bool mail_activate(struct qmgr *q, const struct location *loc, const char *id, bool urgent);
void mail_free(struct mail *mail);
/* Loads the next recipients; settles the mail when there are none left. */
void mail_load_more(struct mail *mail);
void mail_after(struct mail *mail, int64_t delay_ms, void (*fn)(struct mail *mail));

/* ---- transport.c: services, and the loop that serves them -------------------------------- */
struct transport *transport_get(struct qmgr *q, const char *name);
void transport_run(struct transport *t);        /* hands out what there is room for */
void transport_revive(struct transport *t);     /* it may be reachable again (flush) */
void transport_look_again(struct transport *t); /* its gate may have opened */
/* The process limit of a service, from master.cf. */
size_t agent_limit(struct qmgr *q, const char *name);

/* ---- dest.c: destinations and their turn ------------------------------------------------- */
void dest_assign(struct mail *mail, struct rcpt *rcpt, const char *transport, const char *nexthop);
/* The next one that has work, room in its window and an open gate; NULL: none. */
struct dest *dest_first(struct transport *t);
void dest_served(struct dest *dest);       /* dest_first had its turn; may free it */
struct entry *dest_pop(struct dest *dest); /* its next entry */
void dest_put_back(struct entry *entry);   /* as the next one */
void dest_free_if_idle(struct dest *dest);
/* After a delivery: back in line, or freed when nothing is left of it. */
void dest_ready_again(struct dest *dest);
/* Its gate may have opened. */
void dest_look_again(struct dest *dest);
/* A delivery ended: the window grows or shrinks, enough failures and it rests. NULL: no answer. */
void dest_ended(struct dest *dest, const struct deliver_result *result);
/* Its mail goes to retry(8) with this reason for so long; nothing when it rests already. */
void dest_rest(struct dest *dest, const char *dsn, const char *reason, int64_t ms);
/* Gives the entry to retry(8) with a reason, whatever its destination was; frees it. */
void entry_to_retry(struct entry *entry, const char *dsn, const char *reason);
/* Ends all rests, of destinations and transports (flush). */
void dests_revive(struct qmgr *q);

/* ---- deliver.c: requests to agents and their results ------------------------------------- */
/* Sends the entry to the agent on a taken channel; false: the channel broke, the entry stays. */
bool entry_deliver(struct entry *entry, struct channel *channel);
void deliver_answered(struct channel *channel, const struct frame *frame, void *job);
/* The entry was given to an agent in vain: queued again, or in the end deferred and freed. */
void entry_unanswered(struct entry *entry);
void entry_free(struct entry *entry);
void entry_fill_request(const struct mail *mail, struct deliver_request *request);

/* ---- pool.c: connections ------------------------------------------------------------------ */
void pool_init(struct pool *pool, struct qmgr *q, const char *path, size_t limit, int answer_s,
    void (*answered)(struct channel *, const struct frame *, void *));
/* An idle channel (one that keeps a session to `prefer` first) or a new one; NULL: none now, and
 * *unreachable_out says whether the service could not be reached. */
struct channel *pool_take(
    struct pool *pool, const struct dest *prefer, bool *unreachable_out, struct err *err);
/* Sends a frame on a taken channel. false: it broke (and is closed). */
bool channel_send(struct channel *channel, const struct str *frame, void *job);
void channel_give_back(struct channel *channel);
void channel_close(struct channel *channel);
/* Closes what has been idle for so long, and what has not taken or answered a request in time. */
void pool_sweep(struct pool *pool, int64_t idle_ms);

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

#endif
