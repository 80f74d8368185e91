/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SENDMAIL_SENDMAIL_H
#define COMMANDS_SENDMAIL_SENDMAIL_H

#include "lib/peer/maildrop.h"
#include "lib/service/command.h"

/* sendmail(1): the types that its modules share. */

enum mode {
	MODE_ENQUEUE,
	MODE_SMTP,       /* -bs */
	MODE_LIST,       /* mailq, -bp */
	MODE_FLUSH,      /* -q, -qI, -qR, -qS */
	MODE_NEWALIASES, /* newaliases, -bi, -I */
	MODE_DAEMON,     /* -bd, -bl */
	MODE_VERIFY,     /* -bv */
	MODE_NOTHING,    /* -bh, -bH */
};

struct sendmail_params {
	const char *default_verp, *verp_filter;
	int recipient_limit;
	int timeout;
	bool smtputf8_enable;
};

struct sendmail {
	struct command command;
	struct sendmail_params params;
	enum mode mode;
	bool extract;    /* -t */
	bool ignore_dot; /* -i */
	int verbose;
	const char *flush_site, *flush_id, *flush_sender, *alias_file;
	/* of -f, -F, -N, -R, -V, -B */
	const char *sender_text; /* NULL: the login name */
	const char *full_name;
	const char *envid, *ret;
	const char *verp; /* of -XV; NULL: none, "" : the default delimiters */
	uint32_t notify, flags;
	char **rcpts; /* the command line's */
	/* made from these */
	uid_t uid;
	char *login;
	struct str sender;
};

/* Reads the command line into s; ends the process when it makes no sense. */
void options_parse(struct sendmail *s, int argc, char **argv);

/* Who sends: login name, envelope sender, full name. */
void sender_find(struct sendmail *s);

/*
 * A message on its way into the queue: a postdrop process and what goes to it. submit_begin
 * writes the envelope; text and recipients may come in any order.
 */
struct submission {
	const struct sendmail *sendmail;
	struct maildrop_writer writer;
	pid_t pid;
	int to, from; /* pipes */
	bool broken;  /* postdrop reads no more: its answer says why */
};
int submit_begin(struct submission *sub, const struct sendmail *s,
    const struct maildrop_envelope *env, struct err *err);
void submit_text(struct submission *sub, const char *data, size_t len);
void submit_rcpt(struct submission *sub, const struct maildrop_rcpt *rcpt);
/* 0: the message is safe. Else a sysexits code with err. Ends the process of postdrop. */
int submit_end(struct submission *sub, char id_out[64], struct err *err);
void submit_abort(struct submission *sub);

/* The modes; each returns the exit status. */
int enqueue_run(struct sendmail *s);
int smtp_run(struct sendmail *s);

/* Calls fn for each address of a recipient argument or header, malformed ones included. */
void rcpt_each(struct slice text, void (*fn)(void *arg, const char *address), void *arg);

#endif
