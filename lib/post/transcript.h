/* SPDX-License-Identifier: ISC */
#ifndef LIB_POST_TRANSCRIPT_H
#define LIB_POST_TRANSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

struct core_params;
struct queue;

/*
 * What was said in an SMTP session, for the postmaster who wants to know of sessions with errors
 * (notify_classes). Bounded: the beginning and the end are kept. A process that has nobody to tell
 * has no transcript: all functions take NULL and do nothing.
 */

/* Words of notify_classes. */
enum {
	CLASS_BOUNCE = 1 << 0,
	CLASS_2BOUNCE = 1 << 1,
	CLASS_DATA = 1 << 2,
	CLASS_DELAY = 1 << 3,
	CLASS_POLICY = 1 << 4,
	CLASS_PROTOCOL = 1 << 5,
	CLASS_RESOURCE = 1 << 6,
	CLASS_SOFTWARE = 1 << 7,
};
uint32_t transcript_classes(const char *notify_classes);

struct transcript;
/* NULL when none of the classes of sessions is among notify_classes. */
struct transcript *transcript_new(const char *notify_classes);
void transcript_free(struct transcript **t);
void transcript_reset(struct transcript *t); /* for the next session */

/* Lines, with or without line ends. What comes with AUTH is not kept. */
void transcript_in(struct transcript *t, const char *data, size_t len);
void transcript_out(struct transcript *t, const char *data, size_t len);
/* Something in between: "(the message)". */
void transcript_note(struct transcript *t, const char *text);
/* Something of this class went wrong (CLASS_*). */
void transcript_trouble(struct transcript *t, uint32_t class_);
/* What has gone wrong so far is settled. */
void transcript_forgive(struct transcript *t);
size_t transcript_lines(const struct transcript *t);
/* Of these classes, what has gone wrong so far. */
uint32_t transcript_troubles(const struct transcript *t);

struct transcript_notice {
	const char *recipient; /* error_notice_recipient */
	/* bounce_notice_recipient, when the trouble was a recipient refused for good; NULL: the
	 * same */
	const char *bounce_recipient;
	const char *subject;
	const char *ending; /* how the session ended, or NULL: in good order */
	struct conf *conf;  /* as post_notice has it */
};
/* Mails it when something that the postmaster wants to know went wrong. Logs what fails. */
void transcript_send(struct transcript *t, struct queue *queue, const struct core_params *core,
    const struct transcript_notice *notice);
/* The body of that mail; for tests. */
void transcript_put(const struct transcript *t, const char *ending, struct str *out);

#endif
