/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_QMGR_FIXTURE_H
#define TESTS_UNIT_QMGR_FIXTURE_H

#include "lib/service/private.h"
#include "qmgr/qmgr.h"

/*
 * A queue manager without master in a scratch folder. The agents and bounce(8) are sockets that the
 * test itself serves between turns of the loop: requests pile up in `jobs` until job_answer, or
 * until `answer` answers them at once. Nothing waits for the clock: fixture_pass turns it.
 */
enum { JOBS_MAX = 6000 };

struct fake_agent; /* one accepted connection */

struct job {
	uint32_t id;                    /* of the request */
	struct fake_agent *agent;       /* NULL: answered, or its connection is gone */
	struct deliver_request request; /* texts in fx.arena */
	char transport[64];
};

struct fixture {
	char dir[64], before[512];
	struct service service;
	struct route_params route;
	struct queue_params queue;
	struct qmgr_params params;
	struct qmgr q;
	struct arena arena;
	struct str log; /* what was logged, so far */
	int log_fd;
	struct job jobs[JOBS_MAX]; /* in order of arrival */
	size_t count;
	void (*answer)(struct job *job); /* NULL: requests wait */
	uint32_t reusable_ms;            /* agents say that they keep their sessions for so long */
	struct list listeners, agents;
	const char *relay, *diag; /* for the answers that follow; NULL: none */
	const char *damaged;      /* what they find wrong with the record */
	bool paused;              /* the agents do not read */
	const char *pad;          /* makes addresses long */
	/* bounce(8) */
	bool bounce_fails; /* status 2 */
	int appended, append_requests, flushed, moved;
	uint64_t retry_at;     /* of the last move */
	char last_reason[256]; /* of the last record */
	unsigned number;       /* for fresh addresses */
};
extern struct fixture fx;

void fixture_open(const char *settings); /* of main.cf, behind those of the tests; does not start */
void fixture_start(void);                /* qmgr_start */
void fixture_close(void);
void fixture_serve(const char *service);   /* private/SERVICE is listened on from now on */
void fixture_unserve(const char *service); /* its socket and connections go */
void fixture_bounce(void);                 /* serves bounce and defer */
void fixture_turn(void);                   /* until nothing more happens */
void fixture_pass(int64_t ms);             /* time passes; then fixture_turn */
bool fixture_logged(const char *text);
size_t fixture_active(void);

/* A message in the queue; its recipients are user0@D, user1@D... routed to transport:nexthop. */
struct location fixture_message(char id_out[QUEUE_ID_MAX], const char *sender, size_t rcpts,
    const char *transport, const char *nexthop);
/* The same, with its note given to qmgr. */
void fixture_note(
    char id_out[QUEUE_ID_MAX], size_t rcpts, const char *transport, const char *nexthop);
/* The same as a file in deferred/. */
void fixture_deferred(char id_out[QUEUE_ID_MAX], const char *sender, int64_t retry_at,
    const char *transport, const char *nexthop);

size_t jobs_waiting(const char *nexthop); /* NULL: any; under way at agents */
void job_answer(struct job *job, enum outcome outcome, const char *dead_reason);
void jobs_answer(const char *nexthop, enum outcome outcome, const char *dead_reason); /* all */
void job_drop(struct job *job);                               /* the agent dies */
void job_say(struct job *job, const char *bytes, size_t len); /* nonsense */
void answer_sent(struct job *job);
void answer_deferred(struct job *job);
size_t agents_connected(void);

#endif
