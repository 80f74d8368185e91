/* SPDX-License-Identifier: ISC */
#ifndef COMMANDS_SMTP_SOURCE_ANSWERS_H
#define COMMANDS_SMTP_SOURCE_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

/* How long the server took to answer each message's end; zero-initialized. For -a. */
struct answers {
	int64_t *us;
	size_t count, size;
};

void answers_add(struct answers *answers, int64_t us);
/* One line: how many, and the percentiles. Sorts them. Nothing when there are none. */
void answers_show(struct answers *answers);

#endif
