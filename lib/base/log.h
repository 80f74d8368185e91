/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include <stdbool.h>

#include "lib/base/attr.h"

/*
 * The log of a process: one line, one write. The text is what Postfix's tools read:
 * "Nov 22 06:26:56 host tag[pid]: text" in a file or on stdout; to syslog the same tag and text.
 * The state here is the one piece of mutable file-scope data that a library keeps.
 *
 * A line never holds a control character: bytes below 32 and 127 become '?' (a peer's text is
 * often logged). A line longer than 2,000 bytes is cut there.
 */

enum log_level {
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_FATAL,
	LOG_LEVEL_PANIC
};

enum log_sink {
	LOG_TO_STDERR, /* "program: text": what a command a person typed does; the default */
	LOG_TO_FD,     /* complete lines with date, host, tag, to a descriptor (file or stdout) */
	LOG_TO_SYSLOG, /* libc's syslog(3), with the same tag and process id */
};

/*
 * Sets where lines go. fd counts only for LOG_TO_FD; facility is a LOG_* value of syslog.h
 * (LOG_MAIL), used only for LOG_TO_SYSLOG.
 */
void log_open(enum log_sink sink, int fd, int facility);

/*
 * The connection to syslog is given up: before descriptors are closed by number, for libc would go
 * on with one of that number, whatever it then is. The next line, or log_open, makes a new one.
 */
void log_disconnect(void);

/*
 * From hold to release lines that go to a file are kept (a few, then they are written) and written
 * at once: for who must not wait now. One file has one writer at a time, and a queue of many is a
 * long one when the processor is short. What ends the process is never kept. Calls do not nest.
 * Who then waits for others lets them out first: nobody knows for how long that is. A signal
 * handler that ends the process may release, too.
 */
void log_hold(void);
void log_release(void);
bool log_held(void);    /* are lines kept now? */
void log_let_out(void); /* they are written; holding goes on */

/* Lines go to standard error as well, as "program: text": what an administrator's command does. */
void log_echo(bool on);

/*
 * From now on warnings and errors are appended to *out, a line each, without a date and a tag, and
 * go nowhere else: for who checks a configuration and says itself what is wrong. NULL: they are
 * logged. Returns what was set before.
 */
struct str;
struct str *log_capture(struct str *out);

/* The tag is "<syslog_name>/<program>", or "<program>" alone when syslog_name is NULL. Copied. */
void log_set_tag(const char *syslog_name, const char *program);

/*
 * The host in lines that go to a file: the first part of this name; copied. The machine's own until
 * then, and with syslog, which has its own.
 */
void log_set_host(const char *name);

/* Addresses in log lines: as programs have them, or quoted as in SMTP (the default). */
void log_set_plain_addresses(bool plain);
bool log_plain_addresses(void);

/* Number of -v options: log_debug writes only when it is above zero. */
void log_set_verbose(int level);
int log_verbose(void);

void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);  /* "warning: ..." */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2); /* "error: ..." */
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* log_info under another program name: a line that tools expect from cleanup(8) keeps its tag. */
void log_info_as(const char *program, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * fatal: this process cannot go on (said only by main, start-up code and the allocator): logs
 * "fatal: ..." and exits with the given sysexits code, or 1.
 * panic: our own bug: logs "panic: ..." and aborts. No byte from a peer may lead to either.
 */
void fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;
void fatal_exit(int status, const char *fmt, ...) PRINTF_LIKE(2, 3) NORETURN;
void panic(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

/* An assertion that stays on in release. */
#define must(cond)                                                                             \
	do {                                                                                   \
		if (!(cond))                                                                   \
			panic("%s:%d: %s: not true: %s", __FILE__, __LINE__, __func__, #cond); \
	} while (0)

#endif
