/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SESSION_WORLD_H
#define TESTS_FUZZ_SESSION_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf/conf.h"

/* profiles.c: texts of main.cf; from WORLD_WITH_SERVICE on there is a service engine as well. */
enum { WORLD_WITH_SERVICE = 9 };
extern const char world_common[];
extern const char *const world_texts[];
extern const size_t world_text_count;

/* files.c: what is in a world's folder beside the queue; all in the working directory. */
void files_make(void);
void files_change_certificate(unsigned how);
void files_change_table(unsigned how);
/* Is it one that may not be read any more? */
bool files_forbidden(const char *path);

/* service.c: a service engine that does what the events say. */
struct service *engine_of(struct conf *conf);
void engine_stress(bool on);
/* Should the process end behind this session, so that another one goes on? */
bool engine_is_retired(void);

#endif
