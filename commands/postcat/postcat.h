/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_POSTCAT_POSTCAT_H
#define COMMANDS_POSTCAT_POSTCAT_H

#include "lib/queue/store.h"

/* postcat(1): one file at a time, in the look of Postfix's. */
struct view {
	bool envelope, header, body;
	bool offsets;     /* -o */
	bool types;       /* -d */
	const char *name; /* as the lines with asterisks show it */
};

/* 0, or -1 with err. The descriptor is at its beginning and may be anything but a terminal. */
int show_record(const struct view *view, struct message *m, struct err *err);
int show_maildrop(const struct view *view, int fd, struct err *err);

/* Content in pieces, header and body told apart. */
struct content_view {
	const struct view *view;
	bool in_body, at_line_start, started;
	uint64_t offset; /* in the file, of the next byte */
	char last;
};
void content_show(struct content_view *c, const char *data, size_t len);
void content_end(struct content_view *c);

/* One attribute of an envelope: "name: value" with the columns that -o and -d ask for. */
void attribute_show(const struct view *view, uint64_t offset, char type, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void marker_show(const char *what, const char *name);
void time_show(const struct view *view, char type, const char *name, uint64_t us);

#endif
