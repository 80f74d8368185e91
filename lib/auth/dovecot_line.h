/* SPDX-License-Identifier: ISC */
#ifndef LIB_AUTH_DOVECOT_LINE_H
#define LIB_AUTH_DOVECOT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * Lines of Dovecot's authentication protocol, version 1, as the server sends them: fields with tabs
 * between, \001 before what is escaped. Pure. What is not known is DOVECOT_OTHER and is to be
 * skipped, as the protocol wants it; what is known and malformed is DOVECOT_BAD.
 */
enum dovecot_kind {
	DOVECOT_OTHER,
	DOVECOT_BAD,
	DOVECOT_VERSION, /* number: major */
	DOVECOT_MECH,    /* name, security */
	DOVECOT_DONE,
	DOVECOT_CONT, /* number: id; data: the challenge, decoded */
	DOVECOT_OK,   /* number: id; user */
	DOVECOT_FAIL, /* number: id; user, reason, temporary */
};

enum { DOVECOT_LINE_MAX = 16384, DOVECOT_MECH_MAX = 32, DOVECOT_TEXT_MAX = 255 };

struct dovecot_line {
	enum dovecot_kind kind;
	uint32_t number;
	char name[DOVECOT_MECH_MAX + 1];
	unsigned security; /* enum sasl_security, what the mechanism gives */
	bool private;      /* not for clients */
	bool temporary;
	char user[DOVECOT_TEXT_MAX + 1], reason[DOVECOT_TEXT_MAX + 1]; /* printable, or "" */
	struct str data;
};

/* Fills *out (all-zero before the first; its texts are reused). */
enum dovecot_kind dovecot_line_parse(struct slice line, struct dovecot_line *out);
void dovecot_line_fini(struct dovecot_line *line);

/* A field of a line to the server: tab, name, "=", value with what needs it escaped. */
void dovecot_put_field(struct str *out, const char *name, const char *value);

#endif
