/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include "smtpd/smtpd.h"

/* What DATA and BDAT share: content on its way in, and the end of a message. */

/* More input into the stream's buffer; false: s->end says why not. */
bool data_fill(struct session *s);
/* Decoded content to the shaper. What exceeds message_size_limit is dropped. */
void data_put(struct session *s, const char *data, size_t len);
/* The content had a line feed without CR. true: it is refused for that, and the client was told. */
bool data_bare_lf(struct session *s);
/* The message is complete: checks, commits, answers. 0 when it was accepted. */
int data_finish(struct session *s);

#endif
