/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_VERIFY_H
#define LIB_PEER_VERIFY_H

#include "lib/base/arena.h"
#include "lib/ipc/frame.h"

/*
 * verify(8), over private/$address_verify_service_name: can mail be delivered to an address? smtpd
 * asks; verify answers from its cache, and sends a probe when that has nothing (fresh). The probe
 * is a message with ENV_PROBE; who would deliver it, or say that it cannot be, tells verify.
 *
 * VERIFY_QUERY   address -> VERIFY_ANSWER: status and text.
 * VERIFY_UPDATE  what became of a probe for the address. No answer.
 */
enum { VERIFY_QUERY = 1, VERIFY_UPDATE = 2, VERIFY_ANSWER = 100 };

/* As they stand in the cache file: Postfix's numbers. */
enum verify_status { VERIFY_OK, VERIFY_DEFER, VERIFY_BOUNCE, VERIFY_TODO };

struct verify_query {
	const char *address;
};
struct verify_update {
	const char *address;
	uint32_t status; /* enum verify_status, not VERIFY_TODO */
	const char *text;
};
struct verify_answer {
	uint32_t status;
	const char *text;
};
extern const struct frame_table verify_query_table, verify_update_table, verify_answer_table;

/* smtpd's end. */
struct verify_client;
struct verify_client *verify_client_new(const char *service, int timeout_ms);
void verify_client_free(struct verify_client **client); /* NULL allowed */
/* false: nobody answers (logged). The text is in arena. */
bool verify_ask(struct verify_client *client, const char *address, struct arena *arena,
    struct verify_answer *out);

/*
 * Whoever dealt with a probe: by dsn, "2.x.x" is deliverable, "4.x.x" perhaps later. Both forms of
 * the address are told of (orig may be ""). A verify that is not there has lost the answer, and
 * will ask again: that is logged, and nothing else.
 */
void verify_tell(
    const char *service, const char *address, const char *orig, const char *dsn, const char *text);

#endif
