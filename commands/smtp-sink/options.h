/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SMTP_SINK_OPTIONS_H
#define COMMANDS_SMTP_SINK_OPTIONS_H

#include "commands/smtp-sink/sink.h"

enum { EX_BAD_USAGE = 64 };

/* What only the start needs; the texts are those of argv. */
struct arguments {
	int family, backlog;
	const char *address;                 /* where to listen */
	const char *port_file, *root, *user; /* NULL: not given */
};

/* Fills both, defaults included. What is not understood ends the program with the usage. */
void options_parse(struct sink *sink, struct arguments *args, int argc, char **argv);

#endif
