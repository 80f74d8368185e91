/* SPDX-License-Identifier: ISC */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/io/stream.h"
#include "lib/post/transcript.h"
#include "lib/smtp/reply.h"
#include "smtp/ehlo.h"
#include "smtp/mx.h"
#include "smtp/smtp.h"

struct tls_session;

/*
 * One connection to a server, from connect to QUIT, over any number of transactions. After any
 * call that failed to talk, `dead` is set: nothing more is said, only session_free is left.
 */
struct session {
	const struct smtp_client *client;
	struct stream stream;
	char *nexthop;                        /* of the request that opened it */
	char *domain;                         /* what was looked up for that; NULL: not known */
	char *host;                           /* "mail.example.com" */
	char *name;                           /* "mail.example.com[192.0.2.1]", for texts */
	char *relay;                          /* "mail.example.com[192.0.2.1]:25", for relay= */
	char *used;                           /* relay with ", conn_use=N" once N is above 1 */
	char *endpoint_key, *destination_key; /* of cache.h; NULL: not to be shared */
	char *login_key;                      /* of auth.c; NULL: nobody logs in anywhere */
	struct tls_session *tls;              /* NULL: plain text, or TLS that somebody else does */
	char *tls_key; /* session_tls_key of the destination that it was opened for */
	char resume_key[65];
	bool secured;    /* it talks TLS, by tls or by tlsproxy(8) */
	char *tls_words; /* "Trusted TLSv1.3 with ...", by tlsproxy; NULL: by tls, or not at all */
	bool tls_verified;
	struct ehlo ehlo;
	struct smtp_reply reply;
	int garbage;                   /* lines in this reply that are none */
	int uses;                      /* transactions begun */
	int64_t opened_ms;             /* clock_mono_ms */
	int64_t give_up_ms;            /* no reply is waited for any longer; 0: no such limit */
	struct transcript *transcript; /* of the delivery; NULL: nobody wants it */
	bool in_content;               /* what is to be sent is the message */
	bool spent;                    /* good for QUIT only */
	bool dead;                     /* good for nothing */
	bool quit_sent;                /* QUIT went out with the end of the message */
	bool delay_dot;                /* PIX_DELAY_DOTCRLF */
	bool final;                    /* opened to the last server that could be tried */
};

/* ---- the dialogue ------------------------------------------------------------------------- */

enum chat_result {
	CHAT_OK,   /* s->reply is whole; its dsn is never "" and fits the code */
	CHAT_LOST, /* end of connection or reset */
	CHAT_TIMEOUT,
	CHAT_NONSENSE, /* that is not SMTP */
};

enum { CHAT_LINE_MAX = 2048, CHAT_REPLY_BYTES_MAX = 1024 * 1024 };

/* Sends what is pending and reads one reply, all of it within timeout_s and give_up_ms. A 421 makes
 * it spent. */
enum chat_result session_reply(struct session *s, int timeout_s);
/* To the log, when that is raised: what is pending. session_reply does it by itself. */
void session_show_commands(const struct session *s);
/* The trouble of a result other than CHAT_OK; doing is "sending MAIL FROM" and the like. */
void session_trouble(const struct session *s, enum chat_result result, const char *doing,
    struct arena *arena, struct trouble *out);
/* The trouble of a reply: "host x[y] said: 550 ... (in reply to RCPT TO command)". */
void session_refusal(
    const struct session *s, const char *command, struct arena *arena, struct trouble *out);

/* ---- begin and end ------------------------------------------------------------------------ */

/* What a session is wanted for. Kept by the caller for the time of the call only. */
struct target {
	const struct mx_addr *addr; /* NULL in a question about a kept session */
	const char *domain;         /* of the destination, without brackets and port */
	unsigned port;
	bool direct;       /* [domain]: not by way of mail exchangers */
	bool detect_loops; /* a server that has our name is us */
	bool no_tls;       /* the attempt before this one failed in TLS and asked for this */
	bool no_proxy;     /* ... failed in tlsproxy(8) */
	const struct deliver_request *request; /* nexthop (the key of a kept session), sender */
};

/*
 * Connects, reads the greeting, says EHLO (LHLO, HELO), starts TLS and says EHLO again,
 * authenticates. 0, or -1 with *why (the destination's, not one recipient's trouble); *out is then
 * NULL when there was no connection, else the caller ends it. With why->again_plain the caller
 * ends it and opens the same address again with no_tls, with why->again_direct with no_proxy.
 */
int session_open(const struct smtp_client *client, const struct target *to, struct arena *arena,
    struct session **out, struct trouble *why);

/*
 * debug_peer_list: the log is raised for the server at "host[192.0.2.1]:25", or back to normal.
 * Nothing changes while it is raised for the next hop.
 */
void session_debug(const struct smtp_client *client, const char *host, const char *relay);
/* Takes the descriptor. For session_open. */
struct session *session_new(const struct smtp_client *client, int fd, const struct target *to);
/* The server's name for logs and texts: host, name and relay. */
void session_set_host(struct session *s, const struct mx_addr *addr);
/* A connected descriptor, or -1 with *why. For session_open. */
int session_connect(const struct smtp_client *client, const struct mx_addr *addr,
    struct arena *arena, struct trouble *why);

/* May a kept session be used for this: same nexthop, and what TLS and authentication demand? */
bool session_fits(
    const struct smtp_client *client, const struct session *s, const struct target *to);

/*
 * Steps of session_open that have files of their own. STEP_NONE: nothing was said to the server,
 * the session goes on as it is. STEP_DONE: it was done. STEP_FAILED: *why says why; the session is
 * spent or dead, and the caller ends it (a policy that cannot be met is a failure, an option that
 * the server does not offer and nobody insists on is STEP_NONE).
 */
enum session_step { STEP_NONE, STEP_DONE, STEP_FAILED };

/*
 * tls.c. wrap comes before the greeting (smtp_tls_wrappermode). start comes behind the first EHLO,
 * with s->ehlo filled; it says STARTTLS when policy and server want it. After STEP_DONE the
 * session talks by TLS, nothing that was received in plain text is left in its buffer, and
 * session_open says EHLO again. A handshake that failed where plain text would do is STEP_FAILED
 * with why->again_plain. Not called again when wrap was done.
 */
enum session_step session_wrap_tls(const struct smtp_client *client, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why);
enum session_step session_start_tls(const struct smtp_client *client, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why);
/* EHLO was answered under TLS: what the server gave out for later is kept. */
void session_tls_ready(const struct smtp_client *client, struct session *s);
/* Logs what another process's session is protected by. */
void session_tls_reused(const struct smtp_client *client, const struct session *s);
/* May mail that cannot go by this session, TLS being what went wrong, go in plain text? */
bool session_tls_optional(
    const struct smtp_client *client, const struct target *to, struct arena *arena);
/* Ends TLS, politely unless the session is dead; the connection is good for nothing then. */
void session_tls_end(struct session *s);

/* tls_keys.c. Notes for whom a session was opened; one that another process began, too. */
void session_tls_note(const struct smtp_client *client, struct session *s, const struct target *to);
/* Is it good enough for this target? */
bool session_tls_fits(
    const struct smtp_client *client, const struct session *s, const struct target *to);
/*
 * Appends what tells sessions apart that differ in what TLS demands for `to` (level, names to
 * match, DANE, ciphers, own certificate): two targets with the same text may use one another's
 * sessions. to->addr is NULL when only the destination is known.
 */
void session_tls_key(const struct smtp_client *client, const struct target *to, struct str *key);

/*
 * auth.c. Behind the last EHLO; s->ehlo.auth_mechanisms is the server's list ("PLAIN LOGIN"). Who
 * is configured for this destination or sender logs in; STEP_FAILED when that is refused.
 */
enum session_step session_authenticate(const struct smtp_client *client, struct session *s,
    const struct target *to, struct arena *arena, struct trouble *why);
bool session_auth_fits(
    const struct smtp_client *client, const struct session *s, const struct target *to);
/* Likewise for the login that mail to `to` uses: never a password, but a change of it shows. */
void session_auth_key(const struct smtp_client *client, const struct target *to, struct str *key);
/* Did TLS prove that the server is who it should be? Not called on a session in plain text. */
bool session_tls_is_verified(const struct session *s);
/* Notes whose session this is, for session_auth_fits. */
void session_set_login(
    const struct smtp_client *client, struct session *s, const struct target *to);

/* QUIT when that is possible, then frees. *s may be NULL and is NULL then. */
void session_quit(struct session **s, const struct smtp_params *params);
/* Without a word. */
void session_free(struct session **s);

/* Back to the state between transactions (RSET). false: the session is spent. */
bool session_reset(struct session *s, const struct smtp_params *params);

#endif
