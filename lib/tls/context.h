/* SPDX-License-Identifier: ISC */
#ifndef LIB_TLS_CONTEXT_H
#define LIB_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/tls/settings.h"

/*
 * What all TLS sessions of a process in one role share: keys, certificates, whom to trust. Made
 * once (it costs milliseconds, and reads files that may need start-up privileges); a session made
 * from it costs microseconds. One per role and per set of key files.
 */
struct tls_context;

enum { TLS_PAIRS_MAX = 3, TLS_TICKET_NAME = 16, TLS_TICKET_SECRET = 32 };

/* A key for session tickets (RFC 5077), from whoever shares them among the processes. */
struct tls_ticket_key {
	unsigned char name[TLS_TICKET_NAME];
	unsigned char cipher_key[TLS_TICKET_SECRET], mac_key[TLS_TICKET_SECRET];
	int64_t
	    current_until_s; /* tickets are given out under it; seconds since 1970, for the log */
};

enum tls_named {
	TLS_NAMED_NONE,    /* there is none: the context's own chains serve */
	TLS_NAMED,         /* there it is */
	TLS_NAMED_TROUBLE, /* nobody knows now: what it was before serves on */
};

/* What a server asks of its program. Any function may be NULL. */
struct tls_server_hooks {
	void *arg, *name_arg; /* name_arg is chain_for_name's, arg all others' */
	/*
	 * The PEM text (keys and certificates) for a name that a client asked for, lower case.
	 * Asked in each handshake, so that what changes is taken up.
	 */
	enum tls_named (*chain_for_name)(void *name_arg, const char *name, struct str *pem_out);
	/*
	 * The key of that name, or the current one (name NULL). 1: there it is; 2: it is an old
	 * one, the client gets a new ticket; 0: there is none.
	 */
	int (*ticket_key)(void *arg, const unsigned char *name, struct tls_ticket_key *out);
	/* Sessions of clients that know no tickets, by id in hexadecimal. */
	bool (*session_get)(void *arg, const char *id, struct str *session_out);
	void (*session_put)(void *arg, const char *id, struct slice session);
	void (*session_drop)(void *arg, const char *id);
};

struct tls_context_config {
	bool server;
	const struct tls_common *common;

	/* Own certificates: a text of keys, each with its certificates behind it, instead of what
	 * is in the files, which are only watched; NULL: read them. */
	const struct str *chain_text;
	/* If not NULL, gets such a text of what was read. It holds secrets. */
	struct str *chain_text_out;
	/* Chain files (each: key, its certificate, its issuers; and the next),
	 * else pairs of a certificate file and a key file. "" : none. */
	const char *const *chain_files;
	size_t chain_file_count;
	struct {
		const char *cert_file, *key_file;
	} pairs[TLS_PAIRS_MAX];

	/* Whom to trust. "" : nobody, then peers' certificates are not judged at all. */
	const char *ca_file, *ca_path;
	int verify_depth;

	/* The default of its sessions; clients may have others. */
	const char *cipherlist;
	struct tls_protocols protocols;

	/* Servers only. */
	const char *dh_file; /* "" : by the key's size */
	bool ask_certificate, require_certificate;
	/* Clients are known by their certificates: what the library finds weak is refused. Else
	 * it is better than no encryption at all. */
	bool strong;
	bool always_session_ids; /* also where no session is kept */
	int session_timeout;     /* seconds that sessions and tickets are good for; 0: neither */
	struct tls_server_hooks hooks;
};

/* 0, or -1 with err naming the file. The texts of config, not the struct, outlive the context. */
int tls_context_new(
    const struct tls_context_config *config, struct tls_context **out, struct err *err);
void tls_context_free(struct tls_context **context); /* NULL allowed; sessions must be gone */

/*
 * A text that changes with whom the context trusts and with what it shows of itself: part of the
 * key under which sessions are kept for resumption.
 */
const char *tls_context_identity(const struct tls_context *context);

/* Have its files been changed since they were read? Looks at most once in `every_ms`. */
bool tls_context_stale(struct tls_context *context, int every_ms);
/* Its files are taken for read as they are now: it is stale when they change again. */
void tls_context_restamp(struct tls_context *context);
/* Can all of its files be looked at (not: read)? */
bool tls_context_sees(const struct tls_context *context);
/* Days that the certificate which expires first is still good; negative: expired. false: none. */
bool tls_context_days_left(const struct tls_context *context, int *days_out);

/*
 * Does the kernel do the records of TLS (CONFIG_TLS)? Asked with a connection of its own. *why_out
 * (may be NULL) says it in words, for a log line.
 */
bool tls_kernel_available(const char **why_out);

#endif
