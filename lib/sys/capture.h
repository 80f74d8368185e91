/* SPDX-License-Identifier: ISC */
#ifndef LIB_SYS_CAPTURE_H
#define LIB_SYS_CAPTURE_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * Runs a program and takes what it prints: no shell, standard input empty, a session of its own,
 * no descriptor but the three. argv[0] is an absolute path; envp is its whole environment. The
 * program and all its children that stayed in its group are killed when timeout_ms is over or it
 * prints more than `max` bytes. 0 when it ended with status 0, else -1 with err, which holds the
 * first words of its standard error.
 */
int capture_run(char *const argv[], char *const envp[], int timeout_ms, size_t max, struct str *out,
    struct err *err);

#endif
