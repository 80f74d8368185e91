/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_SMTPD_H
#define SMTPD_SMTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/conf/core.h"
#include "lib/io/stream.h"
#include "lib/peer/note.h"
#include "lib/post/transcript.h"
#include "lib/queue/store.h"
#include "lib/route/route.h"
#include "lib/shape/shape.h"
#include "lib/sys/net.h"
#include "lib/table/match.h"
#include "smtpd/auth_params.h"
#include "smtpd/params.h"
#include "smtpd/tls_params.h"

/*
 * The SMTP server: types shared by its modules, and what each module promises.
 *
 * Three lifetimes, each inside the one before: the process (struct smtpd: configuration, tables,
 * queue), the session (one connection), the transaction (MAIL to the end of data). Whatever ends a
 * transaction (RSET, HELO, EHLO, end of data, disconnect) does it by transaction_end.
 */
struct service;
struct restriction_list;
struct access;
struct map;
struct dns_resolver;
struct peer_cache;
struct anvil;
struct counter;
struct counter_table;
struct debug_peer;
struct tls_info;
struct tls_session;
struct server_tls;
struct server_auth;

enum access_stage {
	ACCESS_CLIENT,
	ACCESS_HELO,
	ACCESS_SENDER,
	ACCESS_RELAY,
	ACCESS_RECIPIENT,
	ACCESS_DATA,
	ACCESS_END_OF_DATA,
	ACCESS_ETRN,
	ACCESS_STAGES
};

enum { SMTPD_COMMANDS_MAX = 24 };

/* ---- server.c: one per process ------------------------------------------------------------- */

/* Filled by the engine (or a test) before server_init. */
struct smtpd_config {
	const struct core_params *core;
	struct smtpd_params smtpd;
	struct smtpd_tls_params tls;
	struct smtpd_auth_params auth;
	struct shape_params shape;
	struct map_params map;
	struct route_params route;
	struct queue_params queue;
};

struct smtpd {
	struct service *service; /* NULL in tests */
	const struct smtpd_config *config;
	struct smtpd_params stress;        /* the same parameters with $stress set */
	struct shape_params cleanup_shape; /* with the -o settings of the cleanup entry */
	struct map_params cleanup_map;
	const struct shape_params *shape;
	const struct map_params *map;
	struct conf *cleanup_conf; /* owns the texts of cleanup_shape; NULL when not needed */
	struct router *router;
	struct mapper *addresses; /* by our own parameters: who is known */
	struct checks *checks;    /* header_checks and the like; NULL: none */
	struct mapper *mapper;    /* by those of the cleanup entry: what is done; mostly the same */
	struct queue *queue;
	struct notifier *notifier;
	struct match_list *mynetworks, *forbidden_commands, *bare_newline_exclusions;
	struct restriction_list *restrictions[ACCESS_STAGES];
	struct restriction_list *rewrite_clients; /* local_header_rewrite_clients */
	struct table_chain *rewrite_tables;       /* likewise */
	bool relay_protected; /* relay or recipient restrictions refuse somebody at all */
	struct net_addr *interfaces;
	size_t interface_count;
	struct peer_cache *peers;
	struct dns_resolver *resolver;       /* made when first needed */
	struct match_list *limit_exceptions; /* smtpd_client_event_limit_exceptions */
	struct table_chain *login_limits, *sender_limits;
	struct anvil *clients, *accounts; /* shared counters; NULL in tests */
	struct transcript *transcript;    /* of the present session; NULL: nobody wants it */
	struct debug_peer *debug;         /* debug_peer_list; NULL: nobody */
	struct match_list *verp_clients;  /* smtpd_authorized_verp_clients */
	struct access *access;            /* access_open's */
	struct match_list *xclient_hosts, *xforward_hosts;
	struct match_list *proxy_networks; /* smtpd_upstream_proxy_networks; NULL: everybody */
	struct table_chain *discard_maps;  /* smtpd_discard_ehlo_keyword_address_maps */
	struct table_chain *command_filter, *footer_maps;
	bool expansion_allowed[256];      /* smtpd_expansion_filter */
	enum server_tls_level tls_level;  /* never SERVER_TLS_UNSET */
	struct table_chain *client_certs; /* relay_clientcerts; NULL: none */
	struct server_tls *tls;           /* tls_engine.h; NULL in tests */
	struct smtpd_tls_params stress_tls;
	struct server_auth *auth; /* auth.h; NULL: nobody can log in */
	uint32_t generation;
};

/*
 * Opens tables and lists, which may need the rights that a process has at its start. conf is the
 * loaded configuration behind config.
 */
void server_open(struct smtpd *srv, const struct smtpd_config *config, struct conf *conf);
/* Opens the queue (working directory = queue directory), and what server_open has not opened yet.
 * -1 with err when the process cannot work at all. */
int server_init(
    struct smtpd *srv, const struct smtpd_config *config, struct conf *conf, struct err *err);
enum table_age server_age(const struct smtpd *srv);
void server_fini(struct smtpd *srv);

/* ---- peer.c: who the client is ------------------------------------------------------------- */

enum peer_status { PEER_NAME_OK, PEER_NAME_TEMPFAIL, PEER_NAME_PERMFAIL };

struct peer {
	struct net_addr address;
	char addr[64];            /* "192.0.2.1" */
	char rfc_addr[72];        /* "192.0.2.1" or "IPv6:2001:db8::1", for Received: */
	char port[8];             /* "0" when there is none */
	const char *name;         /* verified, or "unknown" */
	const char *reverse_name; /* what the address says, or "unknown" */
	enum peer_status name_status, reverse_status;
	const char *namaddr; /* "name[addr]", with ":port" when the port is logged */
};

struct peer_cache *peer_cache_new(void);
void peer_cache_free(struct peer_cache **cache);
/*
 * Describes the other end of fd; texts live in arena. A descriptor that is no network connection
 * is localhost[127.0.0.1]. Name lookups wait as long as the system's resolver does (bounded by
 * peer_limit_resolver) and are remembered for a short time.
 */
void peer_from_fd(struct smtpd *srv, int fd, struct arena *arena, struct peer *out);
/* Bounds the system resolver's waiting unless the administrator did so already. */
void peer_limit_resolver(void);
void peer_set(struct smtpd *srv, struct arena *arena, struct peer *peer, const char *name,
    const char *addr, const char *port);
/* Describes a client at this address, as a proxy told it; name lookups as for one of our own. */
void peer_from_address(
    struct smtpd *srv, const struct net_addr *address, struct arena *arena, struct peer *out);
/* The address alone: "unknown" is nobody's, in no network. Then peer_complete. */
void peer_set_address(struct peer *peer, const char *addr);
/* Makes namaddr, when name, addr or port have changed. */
void peer_complete(struct smtpd *srv, struct arena *arena, struct peer *peer);

struct session;

/* ---- upstream.c ----------------------------------------------------------------------------- */

/*
 * Takes the header of a proxy before us, when s->peer is one, and puts the client that it names in
 * its place. false: there was none, or it was bad (logged); the session must end.
 */
bool upstream_begin(struct session *s);

/* ---- transaction.c -------------------------------------------------------------------------- */

struct target {              /* an envelope address and where it leads */
	const char *given;   /* as the client said it, internal form */
	const char *address; /* rewritten to complete form */
	struct route route;
	enum { TARGET_NEW, TARGET_RESOLVED, TARGET_FAILED } state;
};

struct access_item { /* of a list in the order of its making */
	const char *text;
	struct access_item *next;
};
/* What access(5) actions want done with a message. */
struct access_actions {
	bool discard, hold;
	const char *filter, *redirect; /* NULL: none */
	struct access_item *bcc, *prepend;
};
void access_actions_add(
    struct access_actions *to, const struct access_actions *from, struct arena *arena);

struct transaction {
	struct arena arena;
	bool active; /* MAIL was accepted */
	bool utf8;   /* with SMTPUTF8 */
	struct target sender;
	struct target rcpt;  /* the one being looked at */
	struct target first; /* the first accepted one */
	bool has_rcpt;       /* for log lines */
	int64_t arrival_us;
	char id[QUEUE_ID_MAX]; /* "" before the first accepted recipient */
	uint32_t env_flags;
	const char *envid, *ret;
	const char *attributes; /* of the envelope; NULL: none */
	struct recipient *rcpts;
	size_t rcpt_count, rcpt_cap;
	int overshoot;
	struct shaper *shaper;
	uint64_t data_bytes;  /* received after DATA in whole lines, or by BDAT */
	uint64_t data_tail;   /* behind the last of these lines */
	uint64_t chunk_bytes; /* of all BDAT so far */
	char last_byte;       /* of the chunk before */
	enum { CHUNKS_NONE, CHUNKS_COMING, CHUNKS_REFUSED } chunks;
	uint64_t size;           /* as MAIL said; 0: it did not */
	const char *sasl_sender; /* MAIL AUTH=, printable; NULL: not said, or <> */
	struct access_actions actions;
	/* what the queue manager is still to be told of, when env.id is there */
	struct {
		struct envelope env;
		struct location loc;
		uint64_t content_len;
	} accepted;
	struct access_actions applied; /* what the shaper has been told of them */
	size_t copies_applied;
	char instance[48]; /* names the transaction to policy services */
};

/* An answer that is given unless a later restriction has a better reason to say no (or yes). */
struct deferral {
	bool active;
	int code;
	char dsn[12];
	struct str text;
};

/* What the restriction lists of one stage leave to those of later ones. */
struct access_state {
	struct deferral if_permit, if_reject;
	struct deferral kept[3]; /* of client, HELO and sender when these are not delayed */
	struct access_actions
	    actions[2];      /* of client and HELO, likewise; texts in session's arena */
	struct map *answers; /* of DNS lists, by name asked for; NULL before the first */
};

struct session;
void transaction_begin(struct session *s);
/* The one end of a transaction, whatever the reason; what was not committed is gone. */
void transaction_end(struct session *s);
void transaction_target(struct session *s, struct target *target, const char *address);
/* Finds the route once. false: a table failed (logged). */
bool transaction_resolve(struct session *s, struct target *target);
/* The queue id, and the line that says whose it is. */
void transaction_take_id(struct session *s);
/* Adds s->tx.rcpt, which is resolved, and takes a queue id for the first one. */
void transaction_add_rcpt(struct session *s, uint32_t notify, const char *orcpt);
/* Starts the message: the shaper with our Received: header before the content. */
void transaction_open(struct session *s);
/* Commits; puts the reply to give into reply. Then transaction_announce. true: accepted and
 * durable. */
bool transaction_commit(struct session *s, struct str *reply);
/* Tells qmgr of what was committed; after the reply, so that the client does not wait for it. */
void transaction_announce(struct session *s);

/* ---- rewrite_clients.c ---------------------------------------------------------------------- */

/* text: local_header_rewrite_clients. What cannot be used is warned of and left out. */
void rewrite_clients_open(struct smtpd *srv, const char *text);
/* Is the client's mail to be completed as that of local users? */
bool rewrite_clients_match(struct session *s);

/* ---- received.c ----------------------------------------------------------------------------- */

/* Appends the Received: header of the transaction, folded, CRLF at the end (RFC 5321 4.4). */
void received_put(struct session *s, struct str *out);

/* ---- session.c ------------------------------------------------------------------------------ */

enum session_end {
	END_NONE,    /* goes on */
	END_ORDERLY, /* QUIT, or a reply that says good-bye */
	END_LOST,    /* the client went away */
	END_TIMEOUT,
	END_ERRORS, /* too many */
};

/* What XFORWARD said of the next message. NULL: not said. */
struct forwarded {
	bool any, local;
	const char *name, *addr, *port, *helo, *protocol, *ident;
};

struct session {
	struct smtpd *srv;
	const struct smtpd_params *params; /* the process's normal or stress parameters */
	struct stream stream;
	struct arena arena;
	struct peer peer;
	struct str line;            /* the command being served */
	struct str scratch, reject; /* reject: the reply that access control decided on */
	struct str data;            /* decoded content on its way to the shaper */
	char *helo;                 /* NULL before HELO/EHLO */
	const char *protocol;       /* "SMTP" or "ESMTP" */
	const char *etrn_domain;    /* while ETRN is looked at */
	const char *where;          /* for log lines: "CONNECT", "RCPT", "END-OF-MESSAGE", ... */
	bool in_mynetworks_known;
	enum table_answer in_mynetworks;
	bool local_client;                  /* local_header_rewrite_clients */
	bool limits_exempt;                 /* smtpd_client_event_limit_exceptions */
	struct counter_table *client_table; /* of limits.h; NULL: nothing is counted */
	struct counter *client_counter;
	uint32_t ehlo_discards;            /* of ehlo.h */
	const char *login, *login_method;  /* NULL: nobody has logged in */
	const char *dest_addr, *dest_port; /* where the client thinks it came; NULL: the socket's */
	bool encrypted;                    /* TLS is on */
	struct forwarded forwarded;
	bool orphan;           /* no proxy said whose connection it is */
	bool may_xforward;     /* who is really connected may */
	bool denied;           /* client restrictions said no at once: only QUIT works */
	bool bad_pipelining;   /* seen and logged */
	unsigned transactions; /* begun so far */
	int errors, junk;      /* since the last accepted message */
	uint32_t done[SMTPD_COMMANDS_MAX], tried[SMTPD_COMMANDS_MAX];
	enum session_end end;
	struct access_state access;
	struct tls_session *tls;         /* NULL in plain text */
	const struct tls_info *tls_info; /* tls.h has what it says; NULL in plain text */
	bool tls_trusted;                /* the client's certificate is */
	struct transaction tx;
};

/* Serves the connected socket until it is over; the caller closes it. */
void session_serve(struct smtpd *srv, int fd);
/* The same in two steps, for tests: init takes fd, peer may be changed in between. */
void session_init(struct session *s, struct smtpd *srv, int fd);
void session_run(struct session *s);
void session_fini(struct session *s);
/*
 * Sends the transcript so far to whom notify_classes wants to have it, and begins a new one.
 * ending: of the session; NULL: it goes on.
 */
void session_tell_postmaster(struct session *s, const char *ending);
/* Who has logged in, "" for nobody. */
const char *session_login(const struct session *s);
/* name is NULL for nobody; method names how, for Received: and the log. Both are copied. */
void session_set_login(struct session *s, const char *name, const char *method);
/* The greeting of a client that is not who it was before (XCLIENT). */
void session_greet(struct session *s);
/* May the client ask for VERP? */
bool session_may_verp(struct session *s);
/* Is the client in mynetworks? Asked once per session; an error is logged. */
enum table_answer session_in_mynetworks(struct session *s);

/* ---- dispatch.c ----------------------------------------------------------------------------- */

/* Serves the command in s->line, which it may change: replies, counts, may set s->end. */
void dispatch_line(struct session *s);

/* ---- chat.c --------------------------------------------------------------------------------- */

/* One reply line, e.g. "250 2.1.0 Ok"; soft_bounce and the delay for errors are applied here. */
void chat_reply(struct session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Sends what was said so far, unless the client has more to say first, or does not take it. */
void chat_flush(struct session *s);
/* Reads a command line into s->line, without its end. false: s->end says why. */
bool chat_read(struct session *s);
/*
 * The same for a response of fewer than limit bytes within an authentication, which no log shows.
 * CHAT_LONG: it was longer, and the rest was skipped. CHAT_GONE: s->end says why.
 */
enum chat_line { CHAT_LINE, CHAT_LONG, CHAT_GONE };
enum chat_line chat_response(struct session *s, size_t limit);
/* Restarts the clock for the next command or data. */
void chat_deadline(struct session *s, size_t bytes_received);
void chat_failed(struct session *s, enum io_result why);
/* Is what has a bare line feed refused from this client? (smtpd_forbid_bare_newline = reject) */
bool chat_bare_lf_refused(struct session *s);
/* Bytes as they may appear in a log line: others than printable ASCII as \ooo and the like. */
void chat_escape(struct str *out, struct slice text, size_t max);
bool chat_utf8_valid(struct slice text);

/* ---- commands: 0, or -1 when the command counts as an error --------------------------------- */

typedef int command_fn(struct session *s, struct slice args);
enum {
	COMMAND_LAST = 1 << 0,  /* nothing may be pipelined behind it */
	COMMAND_JUNK = 1 << 1,  /* counts for smtpd_junk_command_limit */
	COMMAND_HELO = 1 << 2,  /* refused before HELO when smtpd_helo_required */
	COMMAND_PLAIN = 1 << 4, /* allowed where STARTTLS is due */
	COMMAND_ANEW = 1 << 5,  /* whatever was before is over */
};
struct command {
	const char *verb;
	const char *count_name; /* in the "disconnect from" line */
	command_fn *run;
	int flags;
	const char *when_idle; /* the reply outside a transaction; NULL: allowed */
	const char *when_busy; /* the reply inside one; NULL: allowed */
};
extern const struct command commands[]; /* in the order of the "disconnect from" line */
extern const size_t command_count;
const struct command *command_find(struct slice verb); /* NULL when unknown */

command_fn cmd_helo, cmd_ehlo;
command_fn cmd_mail;
command_fn cmd_rcpt, cmd_vrfy;
command_fn cmd_data;
command_fn cmd_rset, cmd_noop, cmd_quit, cmd_etrn, cmd_auth, cmd_starttls, cmd_bdat, cmd_xclient,
    cmd_xforward;

/*
 * Splits "FROM:<path> opt opt" behind the keyword. CMD_ARGS_SYNTAX: no keyword or nothing behind
 * it; CMD_ARGS_ADDRESS: no address; CMD_ARGS_UNICODE: strict_smtputf8 wants s->tx.utf8. address
 * gets the internal form, path what the client wrote ("" when a bracket or quote is open), rest the
 * options.
 */
enum cmd_args { CMD_ARGS_OK, CMD_ARGS_SYNTAX, CMD_ARGS_ADDRESS, CMD_ARGS_UNICODE };
enum cmd_args args_path(struct session *s, struct slice args, const char *keyword,
    struct str *address, struct slice *path_out, struct slice *rest);
/* May an address be like this: its literal, its UTF-8? CMD_ARGS_OK, or what is wrong. */
enum cmd_args args_domain(const struct session *s, const char *address);
/* The log line for an address that is none. */
void args_log_bad(struct session *s, struct slice path, const char *verb);
/* The next blank-separated word of *rest; false at the end. */
bool args_word(struct slice *rest, struct slice *word_out);
/* The same where quotes and brackets hold words together. */
bool args_token(struct slice *rest, struct slice *token_out);
/* Does word say KEYWORD=value? Then value_out has the value, which may be empty. */
bool args_option(struct slice word, const char *keyword, struct slice *value_out);

/* ---- access.c, verdict.c: who may do what (the inside: smtpd/restrict.h) ----------------------
 */

/*
 * Never NULL; texts are copied. A name that is unknown may be a class; if it is none either, it
 * refuses whoever gets there (451 4.3.5).
 */
struct restriction_list *restriction_list_parse(const char *parameter, const char *text);
void restriction_list_free(struct restriction_list **list);
/* The name of a stage's parameter, and its text. */
const char *access_stage_list(
    const struct smtpd_params *p, enum access_stage stage, const char **text_out);
/* Does it keep strangers from relaying? classes (may be NULL) are looked into as well. */
bool restriction_list_protects(const struct restriction_list *list, const struct map *classes);

/*
 * Evaluates what is due at this point (several lists when smtpd_delay_reject). true: refused; the
 * reply is in s->reject and the line is logged.
 */
bool access_client(struct session *s);
bool access_helo(struct session *s);
bool access_sender(struct session *s);
bool access_recipient(struct session *s);
bool access_data(struct session *s, enum access_stage stage);
bool access_etrn(struct session *s, const char *domain);
/* The list as a plain question (local_header_rewrite_clients). */
bool access_permits(struct session *s, const struct restriction_list *list);
void access_log(struct session *s, const char *action, const char *text);
/* What has a line feed without CR is refused: logs it and tells the client. */
void access_refuse_bare_lf(struct session *s);

/* Tables, lists and connections that restrictions use: opened with the process, or when first met.
 */
void access_open(struct smtpd *srv, struct conf *conf);
void access_close(struct smtpd *srv);
enum table_age access_age(const struct access *access);
/* Do the relay or recipient restrictions keep strangers from relaying? */
bool access_protects(const struct smtpd *srv);
/* Ends what the session had for restrictions. */
void access_end(struct session *s);

#endif
