/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTMAP_MESSAGE_H
#define COMMANDS_POSTMAP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

/*
 * The lookup keys that header_checks and body_checks would see in a message (-h, -b, -m). Fed line
 * by line; headers are whole logical lines with LF where they are folded. Zero-initialise; the
 * caller sets the first four members.
 */
enum { MESSAGE_BOUNDARIES_MAX = 32 };

struct message {
	bool headers, body, mime;
	void (*key)(void *arg, const char *key);
	void *arg;

	bool in_body;
	struct str header; /* being collected */
	char *boundaries[MESSAGE_BOUNDARIES_MAX];
	size_t depth;
	bool nested; /* these headers announce message/...: more headers follow the blank line */
};

void message_line(struct message *message, const char *line); /* no line end */
void message_end(struct message *message);                    /* frees what it holds */

#endif
