/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_ANVIL_H
#define LIB_PEER_ANVIL_H

#include "lib/base/err.h"
#include "lib/ipc/frame.h"
#include "lib/peer/counters.h"

/*
 * smtpd and its like <-> anvil over private/anvil. anvil keeps tables of counters in memory that it
 * shares: a process asks once for a table (ANVIL_JOIN), gets its descriptor (ANVIL_TABLE), and from
 * then on counts in it by itself. The connection stays open and idle: its end tells anvil that the
 * process has gone with whatever it had under way, and tells the process that there is a new anvil
 * with new tables. Without anvil a process goes on with the table it has, or counts nothing.
 */
enum { ANVIL_JOIN = 1, ANVIL_TABLE = 100 };

enum anvil_table {
	ANVIL_CLIENTS,  /* "service:address": per anvil_rate_time_unit */
	ANVIL_ACCOUNTS, /* "login:name", "sender:address": per hour and day; survives a restart */
	ANVIL_TABLES
};

/* Rates of a counter in ANVIL_CLIENTS. The order is that of the statistics lines. */
enum anvil_rate {
	ANVIL_CONNECTIONS,
	ANVIL_MESSAGES,
	ANVIL_RECIPIENTS,
	ANVIL_NEW_TLS,
	ANVIL_AUTHS,
};
/* ... and in ANVIL_ACCOUNTS. */
enum anvil_account_rate {
	ANVIL_MESSAGES_HOUR,
	ANVIL_MESSAGES_DAY,
	ANVIL_RECIPIENTS_HOUR,
	ANVIL_RECIPIENTS_DAY,
};

struct anvil_join {
	uint32_t table; /* enum anvil_table */
};
struct anvil_joined {
	uint64_t size;   /* of the memory behind the descriptor that comes along */
	uint32_t holder; /* this process's slot; UINT32_MAX: none was left */
};
extern const struct frame_table anvil_join_table, anvil_joined_table;

/* One process's view of one table. */
struct anvil;
struct anvil *anvil_new(enum anvil_table which);
void anvil_free(struct anvil **anvil);
/*
 * The table, joined when that has not been done or when anvil is a new one since; NULL when there
 * has been no anvil yet (logged once a minute). Ask again for every session: pointers into an old
 * table end here, so nothing may be under way.
 */
struct counter_table *anvil_counters(struct anvil *anvil);
int anvil_holder(const struct anvil *anvil); /* -1: none */

/*
 * The key of an account among ANVIL_ACCOUNTS: kind is "login" or "sender"; out has
 * COUNTER_KEY_SIZE. A name that is too long is cut, with a hash of the whole behind it. Case is
 * ignored.
 */
void anvil_account_key(const char *kind, const char *name, char *out);

#endif
