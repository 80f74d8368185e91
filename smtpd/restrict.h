/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_RESTRICT_H
#define SMTPD_RESTRICT_H

#include "smtpd/macros.h"
#include "smtpd/smtpd.h"

/*
 * The inside of access control. access.c knows which lists are due, evaluate.c runs one, verdict.c
 * does what a restriction answers. A restriction is a function (checks*.c) and a row in checks.c;
 * action.c does what tables and policy services answer (access(5)).
 */

enum verdict { VERDICT_DUNNO, VERDICT_PERMIT, VERDICT_REJECT };

/* What can be looked up in a table, as check_<subject>_access. */
enum access_subject {
	SUBJECT_NONE,
	SUBJECT_CLIENT,
	SUBJECT_REVERSE_CLIENT,
	SUBJECT_HELO,
	SUBJECT_SENDER,
	SUBJECT_RECIPIENT,
	SUBJECT_ETRN,
	SUBJECT_CCERT,
	SUBJECT_SASL,
};

struct restriction_kind;
struct check {
	struct session *s;
	enum access_stage stage;
	enum access_subject implied; /* what a table without check_*_access is asked for */
	const char *name;            /* what it is about: the address, the HELO name, ... */
	const char *class_;          /* "Recipient address", for "%s rejected" */
	bool quiet;     /* a question without consequences: nothing is logged, found is enough */
	int depth;      /* of lists within lists */
	int warn_depth; /* of the list that warn_if_reject stands in; 0: none */
	const struct restriction_kind *kind;
	const char *arg;
	bool undeliverable; /* refused because a notice would come of it, not by policy */
};
typedef enum verdict check_fn(struct check *check);
struct restriction_kind {
	const char *name;
	check_fn *run; /* NULL: warn_if_reject */
	int flags;
	int data; /* the function's own: enum access_subject, ... */
};
enum {
	RESTRICT_ARG = 1 << 0,      /* one argument follows in the list */
	RESTRICT_PROTECTS = 1 << 1, /* keeps strangers from relaying */
	RESTRICT_ENDS = 1 << 2,     /* nothing behind it is ever evaluated */
	RESTRICT_TABLE = 1 << 3,    /* the argument is a table */
};
enum {
	RESTRICT_DEPTH_MAX = 100, /* of lists within lists */
	RESTRICT_SLEEP_MAX = 3600
};

struct restriction {
	const struct restriction_kind *kind; /* NULL: nobody knows this name */
	const char *name, *arg;
};

struct restriction_list {
	struct arena arena;
	const char *parameter;
	struct restriction *items;
	size_t count;
};

const struct restriction_kind *check_find(struct slice name); /* NULL when unknown */
const char *check_nearest(const char *name); /* what was meant; NULL: nothing is like it */

/* What the process has for restrictions. */
struct access {
	struct map *classes;            /* struct restriction_list, by name */
	struct map *tables;             /* struct table_chain, by "type:name" */
	struct map *policies;           /* struct policy, by the argument of check_policy_service */
	struct match_list *log_permits; /* smtpd_log_access_permit_actions */
	struct match_list *mx_backup_networks;
	struct table_chain *dns_filter; /* smtpd_dns_reply_filter */
	struct table_chain *login_maps, *rbl_reply_maps;
	const char *rbl_reply;        /* the template */
	bool sasl_enabled;            /* smtpd_sasl_auth_enable */
	bool parent_matches;          /* smtpd_access_maps in parent_domain_matches_subdomains */
	struct verify_client *verify; /* when first needed */
	const char *mail_version, *compatibility_level;
	int64_t list_complaint_ms; /* when a DNS list's error answer was last logged */
};

/* ---- evaluate.c ----------------------------------------------------------------------------- */

/* Runs a list. What it answers is the caller's to pass on; check is as it was. */
enum verdict check_list(struct check *check, const struct restriction_list *list);
/* Runs a list of text that was found somewhere (a table, a policy service's answer). */
enum verdict check_list_text(struct check *check, const char *origin, const char *text);

/* ---- verdict.c ------------------------------------------------------------------------------ */

/* Sets s->reject and logs the line, or only logs after warn_if_reject (then VERDICT_DUNNO). */
enum verdict check_refuse(struct check *check, int code, const char *dsn, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* We cannot tell, for a reason of our own: refuses for now, whatever warn_if_reject says. */
enum verdict check_broken(struct check *check, const char *dsn, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* "Server configuration error" */
enum verdict check_misconfigured(struct check *check);
/*
 * Refuses later, if nothing else does; at once when `now` (the "defer" of the *_tempfail_action
 * parameters) or after warn_if_reject.
 */
enum verdict check_defer_if_permit(struct check *check, bool now, int code, const char *dsn,
    const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Makes a later refusal this one, because what failed might have permitted. */
enum verdict check_defer_if_reject(
    struct check *check, int code, const char *dsn, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Refuses with what was put off by check_defer_if_permit, if anything was. true: refused. */
bool check_refuse_deferred(struct check *check);
/* Puts an answer off. The first one stays: it is what an administrator can do something about. */
void deferral_set(struct deferral *deferral, int code, const char *dsn, const char *text);
enum verdict check_permit(struct check *check);        /* logged when the administrator wants it */
enum verdict check_permit_client(struct check *check); /* for what the client is */
/* A table said so. */
enum verdict check_permit_by(struct check *check, const char *action, const char *table);

/* ---- action.c ------------------------------------------------------------------------------- */

/*
 * Does what `value` says about what was looked up: `table` is where it was found, `datum` what for.
 * check's name and class_ are those of the thing looked up.
 */
enum verdict action_run(
    struct check *check, const char *table, const char *value, const char *datum);
/* An enhanced status as it fits a refusal of this class (a sender has no "mailbox full"). */
void action_fix_dsn(char dsn[12], const char *class_);

/* ---- what restrictions are made of: checks*.c ---------------------------------------------- */

check_fn check_unknown_sender_domain, check_unknown_recipient_domain;
check_fn check_helo_in_dns; /* there is a HELO name, and it is no literal */

/* checks_names.c */
check_fn check_non_fqdn_sender, check_non_fqdn_recipient, check_non_fqdn_helo, check_invalid_helo,
    check_unknown_helo, check_naked_address;

/* Unknown recipient or sender of our own domains (reject_unlisted_*). */
enum verdict check_unlisted(struct check *check, struct target *target, bool is_sender);
/* Of the resolved recipient. */
bool check_destination_is_ours(struct check *check);
bool check_destination_is_routed(struct check *check);
enum verdict check_table_trouble(struct check *check, const char *name);

/* checks_table.c */
check_fn check_access_table, check_bare_table;
struct table_chain *access_table(struct access *a, const char *type_and_name);
/* A value of the table for a host name or its parents, then for an address or its networks. */
enum verdict access_host_lookup(
    struct check *check, const char *name, const char *addr, bool *found_out);
/* Another thing than the stage's is looked at: fills name and class_. false: there is none. */
bool access_subject_of(struct check *check, enum access_subject subject, const char **text_out);

/* An OK for a name that anybody can claim would let anybody in: such a table is an error. */
enum verdict access_not_permitted(struct check *check, enum verdict verdict, const char *name);

/* checks_dns.c: the way to the name servers; NULL: there is none (logged). */
struct dns_resolver *access_resolver(struct smtpd *srv);

/* checks_host.c: the hosts behind a name */
check_fn check_server_access, check_mx_backup;

/* checks_rbl.c */
check_fn check_rbl, check_maps_rbl, check_rhsbl, check_dnswl;

/* checks_login.c */
enum {
	LOGIN_MISMATCH_AUTH = 1 << 0,       /* concerns who is logged in */
	LOGIN_MISMATCH_NONE = 1 << 1,       /* concerns who is not */
	LOGIN_MISMATCH_UNKNOWN_OK = 1 << 2, /* a sender that nobody owns is anybody's */
};
check_fn check_without_sasl; /* says that it is ignored */
check_fn check_login_mismatch, check_tls_clientcerts, check_tls_all_clientcerts,
    check_sasl_authenticated;

/* checks_verify.c */
check_fn check_unverified_sender, check_unverified_recipient;

/* checks_policy.c */
check_fn check_policy_service;

/* auth.c: how the client has logged in; "" when it has not */
const char *session_sasl_method(const struct session *s);
const char *session_sasl_sender(const struct session *s);

#endif
