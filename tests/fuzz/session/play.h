/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SESSION_PLAY_H
#define TESTS_FUZZ_SESSION_PLAY_H

#include <poll.h>
#include <stdint.h>

#include "smtpd/smtpd.h"

/*
 * A whole SMTP session in one process and one thread: smtpd's modules on one end of a socket pair,
 * a client that plays the fuzzer's bytes on the other, and behind smtpd the services that it asks,
 * whose answers are the fuzzer's too. Whoever would wait (poll) lets the others go on; a wait for
 * which nobody has anything moves the clock on instead. What must hold in all cases is watched over
 * by rules.c; whatever breaks it ends the process.
 *
 * An input: byte 0 says in what pieces the client sends (see play.c), byte 1 which settings of
 * profiles.c are in force (low 4 bits) and what else is special, then come the client's bytes.
 * After a byte 0x1e and a letter the answers of a service follow: P policy server, D Dovecot's
 * authentication server, N name server, V verify(8) and flush(8), Y Cyrus SASL, Q qmgr; or, with
 * I, the name that the client asks for in its TLS hello.
 *
 * A byte 0x1d among the client's, a letter of enum event and a byte more: that happens before the
 * client goes on. Behind EVENT_SESSION another client begins, as the byte says what is special.
 */
enum fake { FAKE_POLICY, FAKE_AUTH, FAKE_DNS, FAKE_SERVICE, FAKE_CYRUS, FAKE_QMGR, FAKE_KINDS };
enum event {
	EVENT_SESSION = 'X',
	EVENT_CERTIFICATE = 'C', /* of files_change_certificate; two seconds pass */
	EVENT_TABLE = 'S',       /* of files_change_table; likewise */
	EVENT_DISK = 'D',        /* of disk_fault */
	EVENT_STRESS = 'M', /* begins (1) or ends; the process is to end behind its session (2) */
	EVENT_OTHERS = 'A', /* more clients: which counter (low 4 bits), how many */
	EVENT_TIME = 'T',   /* 2 to the power of so many milliseconds pass (modulo 21) */
};

struct play {
	struct slice client;              /* what is left of it */
	struct slice answers[FAKE_KINDS]; /* likewise */
	size_t piece;                     /* 0: a line at a time */
	struct slice server_name;         /* "" : the client asks for none */
	bool early, silent, raw_tls, with_cert;
	const char *name, *addr;
	struct session session;
	bool running;
	bool events;     /* of the world have happened */
	unsigned logins; /* told by Dovecot's server */
	int fd;          /* the client's end */
};
extern struct play play;

/* play.c */
void play_input(const uint8_t *data, size_t size);
/* The next `len` bytes, or less. */
struct slice play_take(struct slice *from, size_t len);
/* Up to and with the next `end`, or all. */
struct slice play_take_until(struct slice *from, const char *end);

/*
 * Takes what happens now from the beginning of the client's bytes. false: nothing does. The bytes
 * up to the next event are those that text then begins with: their number.
 */
bool play_event(struct slice *text);
size_t play_until_event(struct slice text);

/* world.c: servers by their settings, made when first needed and made anew now and then. */
struct smtpd *world_enter(unsigned profile);
/* Between sessions: the same server, or that of the process which takes its place. */
struct smtpd *world_next_process(void);
void world_event(char what, unsigned char how);
void world_leave(void);
size_t world_profiles(void);
const char *world_certificate(void); /* PEM, key and certificate; our own and clients' */

/* client.c */
void client_begin(void);
void client_act(short events);
void client_tls(void); /* the handshake is due */
void client_end(void);

/* fakes.c */
void fakes_end(void);
void fakes_pass_time(int64_t ms);

/* cyrus.c */
void cyrus_end(void);

/* rules.c */
void rules_begin(void);
void rules_end(void); /* the dialogue is over; then session_fini */

#endif
