/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_NOTE_H
#define LIB_PEER_NOTE_H

#include "lib/ipc/frame.h"
#include "lib/queue/store.h"

/*
 * smtpd, pickup, bounce, local -> qmgr over public/qmgr: "this message is in the queue". One-way,
 * many on one connection. The note carries the envelope and (up to NOTE_RCPTS_MAX) the recipients
 * with their routes, so that qmgr opens nothing. A lost note loses nothing: qmgr finds the message
 * by its next scan.
 *
 * The same socket takes Postfix's one-byte triggers: 'W' wake-up (scan incoming), 'D' deferred
 * scan, 'F' flush (ignore retry times), 'I' incoming scan, 'A' activate all.
 *
 * The other way go empty frames, of which the last one counts: NOTE_BEHIND when more mail comes
 * than the queue manager has room for, NOTE_ROOM when that is over. Whoever takes mail then waits
 * in_flow_delay before each message.
 */
enum { NOTE_MESSAGE = 1, NOTE_SCAN = 2, NOTE_ATTEMPT = 3 };
enum { NOTE_BEHIND = 16, NOTE_ROOM = 17 };
enum { NOTE_RCPTS_MAX = 50, NOTE_ATTEMPT_MAX = 500 };

struct note_rcpt {
	uint32_t index;
	const char *address, *orig, *orcpt, *transport, *nexthop;
	uint32_t notify;
};

struct note {
	const char *id;
	uint32_t lane, epoch;
	uint64_t offset;
	const char *dir;
	uint32_t generation, env_flags;
	uint64_t arrival_us, queued_us, content_len;
	uint32_t
	    rcpt_count; /* of the message; may exceed rcpts.count: qmgr reads the rest itself */
	const char *sender, *message_id, *envid, *ret;
	const char *client_name, *client_addr, *client_port, *helo, *protocol;
	const char *sasl_method, *sasl_username;
	struct frame_list rcpts; /* struct note_rcpt */
	const char *verp;        /* delimiters of lib/mail/verp.h, or "" */
};
extern const struct frame_table note_table;

/*
 * NOTE_ATTEMPT, of flush(8): these deferred messages are to be tried now, whatever their time, and
 * their destinations too when they rest. A hint as all notes: who sends it has set the files' times
 * first, so that a scan finds what was not heard.
 */
struct note_attempt_id {
	const char *id;
};
struct note_attempt {
	struct frame_list ids; /* struct note_attempt_id, at most NOTE_ATTEMPT_MAX */
};
extern const struct frame_table note_attempt_table;
/* One connection each. 0, or -1 with err. */
int note_attempt_send(const struct note_attempt *attempt, struct err *err);

/* The sender's end: connects when needed, keeps the connection, reconnects once when it broke. */
struct notifier;
struct notifier *notifier_new(void);
void notifier_free(struct notifier **n);
/* Sends the note of a committed message. Never fails for the caller: a lost note is only slower. */
void notifier_send(struct notifier *n, const struct envelope *env, const struct location *loc,
    uint64_t content_len);
/*
 * To be called before a message is taken: returns at once, or, while the queue manager is behind,
 * when it no longer is or at most after max_ms.
 */
void notifier_await_flow(struct notifier *n, int max_ms);
/* Sends a one-byte trigger to a service socket of either kind ("public/pickup", 'W'). 0 or -1. */
int trigger_send(const char *path, char what, int timeout_ms);
/* The same with more than one byte. */
int trigger_send_text(const char *path, const char *text, int timeout_ms);

#endif
