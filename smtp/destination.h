/* SPDX-License-Identifier: ISC */
#ifndef SMTP_DESTINATION_H
#define SMTP_DESTINATION_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/*
 * One place to deliver to, as a transport table or relayhost writes it. Pure but for services(5).
 *   example.com  example.com:587      mail exchangers of the domain
 *   [mail.example.com]  [..]:587      that host itself
 *   [192.0.2.1]  [2001:db8::1]:25  [ipv6:2001:db8::1]
 * with "inet:" before it or not; "unix:/path" is a local socket.
 */
struct destination {
	const char *host; /* without brackets; the path of a socket */
	unsigned port;
	bool direct; /* no MX lookup */
	bool is_unix;
	const char *service; /* the port as a name, "submission"; NULL: it is a number, or none */
};

/* -1 with err: empty, unbalanced bracket, unknown port name. Texts live in arena. */
int destination_parse(const char *text, unsigned default_port, struct arena *arena,
    struct destination *out, struct err *err);

/* The words of a list of destinations (commas, blanks): the next one in arena, or NULL. */
const char *destination_next(const char **cursor, struct arena *arena);

#endif
