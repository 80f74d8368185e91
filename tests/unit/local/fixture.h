/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LOCAL_FIXTURE_H
#define TESTS_UNIT_LOCAL_FIXTURE_H

#include "lib/conf/core.h"
#include "local/local.h"

/*
 * A scratch folder with a queue, one message in it, and a delivery of it to `recipient`. The
 * working directory is the queue. "@" in main_cf stands for the scratch folder. fixture_close
 * removes all.
 */
struct fixture {
	char folder[64];
	struct conf *conf;
	struct core_params core;
	struct local local;
	struct message m;
	char id[QUEUE_ID_MAX];
	struct deliver_request request;
	struct deliver_rcpt rcpt;
	struct agent_job job;
	struct content_trace trace;
	struct arena arena;
	struct delivery d;
	struct local_user user; /* who runs the test, the home being the scratch folder */
};

void fixture_open(
    struct fixture *f, const char *main_cf, const char *recipient, const char *content);
void fixture_close(struct fixture *f);
/* A path below the scratch folder; valid until fixture_close. */
const char *fixture_path(struct fixture *f, const char *name);
void fixture_write(struct fixture *f, const char *name, const char *text);
/* The whole file, "" when there is none. */
const char *fixture_read(struct fixture *f, const char *name);

#endif
