/* SPDX-License-Identifier: ISC */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include "lib/agent/agent.h"
#include "lib/peer/note.h"
#include "lib/route/route.h"
#include "lib/shape/map.h"
#include "local/content.h"
#include "local/identity.h"
#include "local/params.h"
#include "local/verdict.h"

/* What the modules of local(8) share. */

struct core_params;

/* One table of alias_maps, with the user whose rights its commands and files get. */
struct local_alias_map {
	struct table *table;
	bool has_owner; /* false: default_privs */
	struct local_user owner;
};

/* The process: everything that lives as long as it does. */
struct local {
	const struct core_params *core;
	struct local_params params;
	struct route_params route_params;
	struct map_params map_params;
	struct queue_params queue_params;
	struct queue *queue;
	struct router *router;
	struct mapper *mapper;
	struct notifier *notifier;
	struct local_alias_map *maps;
	size_t map_count;
	struct table_chain *mailbox_commands, *status_filter;
	bool has_default_user;
	struct local_user default_user; /* default_privs */
	struct local_user mail_owner;   /* as root: whose the queue is */
	const char *service_name;       /* a route to this transport ends here */
	uint32_t generation;
	struct arena arena;
};

/* Opens tables and looks up users; the params must be filled. fatal() on what start-up needs. */
void local_open(struct local *local);
void local_close(struct local *local);

/*
 * One recipient of one request on its way through aliases and .forward files to its mailboxes,
 * files, commands and new addresses.
 */
struct delivery {
	struct local *local;
	struct agent_job *job;
	const struct deliver_rcpt *rcpt;
	const struct content_trace *trace;
	struct arena *arena;
	const char *sender;   /* the request's, or the owner of the list */
	const char *original; /* for X-Original-To:, or "" */
	/* The recipient that is looked at now: */
	const char *address, *local_part, *domain;
	const char *user, *extension, *delimiter; /* "user+ext" pulled apart; "" where absent */
};

/* Points d at an address of this host and pulls its parts apart. */
void local_look_at(struct delivery *d, const char *address);

/* The fields that stored mail begins with, LF line ends; `kind` is as in prepend_delivered_header.
 */
enum local_prefix { PREFIX_FROM_LINE = 1, PREFIX_RETURN_PATH = 2 };
void local_put_prefix(const struct delivery *d, const char *kind, int flags, struct str *out);

/* ---- the four ways of delivery; each fills *verdict ---------------------------------------- */

/* Appends to the mailbox file `path` with the user's rights. In the spool: made with root's. */
void mbox_deliver(const struct delivery *d, const char *path, const struct local_user *user,
    bool in_spool, struct verdict *verdict);
/* Stores in the Maildir `path` (ends in '/'). */
void maildir_deliver(const struct delivery *d, const char *path, const struct local_user *user,
    bool in_spool, struct verdict *verdict);
/* Runs a command with the given rights; `user` tells names, home and shell. */
void command_deliver(const struct delivery *d, const char *command, const struct local_user *user,
    const struct local_user *rights, struct verdict *verdict);

/* Names of Maildir files (pure, but for what is given): tmp/<first>, new/<second>. */
struct maildir_stamp {
	int64_t time_us;
	int pid;
	uint64_t dev, ino;
	const char *host;
};
void maildir_tmp_name(const struct maildir_stamp *stamp, char *out, size_t size);
void maildir_new_name(const struct maildir_stamp *stamp, char *out, size_t size);

/* A command's exit status (sysexits.h) as a verdict; output is what it printed. Pure. */
void command_verdict(
    int wait_status, const char *command, const char *output, struct verdict *verdict);

/*
 * Writes a new message with the content of this one to `count` recipients and tells qmgr. Returns
 * its id (arena), or NULL with *verdict filled.
 */
const char *resend_message(
    const struct delivery *d, const struct recipient *rcpts, size_t count, struct verdict *verdict);

/* The agent_fn; arg is the struct local. */
void local_deliver(struct agent_job *job, void *arg);

/*
 * text with $name expanded by the attributes of the delivery (local/subst.h), in its arena; NULL
 * with err. user NULL: $home and $shell are not defined. filter as in struct subst.
 */
const char *delivery_expand(const struct delivery *d, const struct local_user *user,
    const char *text, const char *filter, struct err *err);

#endif
