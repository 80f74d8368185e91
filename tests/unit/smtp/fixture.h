/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTP_FIXTURE_H
#define TESTS_UNIT_SMTP_FIXTURE_H

#include "smtp/delivery.h"
#include "smtp/rewrite.h"
#include "tests/unit/smtp/fake_server.h"

/*
 * A client with default parameters but time limits of one second, and requests made by hand. What
 * agent_sent and agent_failed would write to the queue is kept in results.
 */
enum { FIXTURE_RCPTS = 300 };

struct fixture {
	struct core_params core;
	struct smtp_params params;
	struct smtp_content_params content;
	struct smtp_client client;
	struct arena arena;
	/* for the next request, "" at first */
	const char *sender, *envid, *ret, *orig, *orcpt, *client_name, *client_addr;
	uint32_t notify;
	size_t missing; /* bytes that the message lacks at its end */
	/* of the last request */
	struct deliver_rcpt rcpts[FIXTURE_RCPTS];
	struct rcpt_result results[FIXTURE_RCPTS];
	struct deliver_result result;
	char relay[256]; /* of the last recipient */
	bool next_tells; /* of the last success */
	int settled;     /* calls of agent_sent_as and agent_failed */
};
extern struct fixture fx;

void fixture_init(void); /* fills params; change them, then fixture_start */
void fixture_start(void);
void fixture_fini(void);

/* Delivers content (NULL: zero bytes) to user0..userN-1@example.test; env_flags are completed from
 * the content. */
void fixture_deliver(const char *nexthop, size_t rcpt_count, uint32_t flags, uint32_t env_flags,
    const char *content, size_t len);

#endif
