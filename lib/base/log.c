/* SPDX-License-Identifier: ISC */
/*
 * A line is put together in one buffer on the stack and leaves with one write(2): lines of many
 * processes in one O_APPEND file never mix, and no log daemon stands in the path. The date's text
 * is remembered per second, since localtime() costs more than the write.
 */
#include "lib/base/log.h"

#include "lib/base/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2000, TAG_MAX = 128, HELD_MAX = 4096 };

static struct {
	enum log_sink sink;
	int fd;
	int facility;
	int verbose;
	bool plain_addresses;
	bool echo;
	struct str *capture;
	char syslog_name[TAG_MAX];
	char program[TAG_MAX];
	char ident[TAG_MAX * 2 + 2]; /* libc looks at it again for each line that goes to syslog */
	char host[256];
	time_t stamp_second;
	char stamp[32];
	int pid; /* 0: not asked yet, or we are a fork */
	bool holding;
	size_t held_len;
	char held[HELD_MAX];
} state = {.sink = LOG_TO_STDERR, .fd = STDERR_FILENO, .facility = LOG_MAIL, .stamp_second = -1};

void log_open(enum log_sink sink, int fd, int facility)
{
	state.sink = sink;
	state.fd = fd;
	state.facility = facility;
	if (!state.host[0] && gethostname(state.host, sizeof(state.host) - 1) < 0)
		strcpy(state.host, "localhost");
	state.host[strcspn(state.host, ".")] = '\0';
	if (sink == LOG_TO_SYSLOG)
		openlog(state.ident, LOG_PID | LOG_NDELAY, facility);
}

void log_disconnect(void)
{
	closelog();
}

void log_echo(bool on)
{
	state.echo = on;
}

struct str *log_capture(struct str *out)
{
	struct str *before = state.capture;

	state.capture = out;
	return before;
}

void log_set_tag(const char *syslog_name, const char *program)
{
	snprintf(
	    state.syslog_name, sizeof(state.syslog_name), "%s", syslog_name ? syslog_name : "");
	snprintf(state.program, sizeof(state.program), "%s", program);
}

void log_set_host(const char *name)
{
	snprintf(state.host, sizeof(state.host), "%.*s", (int)strcspn(name, "."), name);
}

void log_set_plain_addresses(bool plain)
{
	state.plain_addresses = plain;
}

bool log_plain_addresses(void)
{
	return state.plain_addresses;
}

void log_set_verbose(int level)
{
	state.verbose = level;
}

int log_verbose(void)
{
	return state.verbose;
}

static void forget_pid(void)
{
	state.pid = 0;
}

/* Asked once per process: it stands in every line. */
static int own_pid(void)
{
	static bool watching;

	if (!watching)
		watching = pthread_atfork(NULL, NULL, forget_pid) == 0;
	if (state.pid == 0 || !watching)
		state.pid = (int)getpid();
	return state.pid;
}

static const char *stamp(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != state.stamp_second) {
		state.stamp_second = now;
		localtime_r(&now, &tm);
		strftime(state.stamp, sizeof(state.stamp), "%b %e %H:%M:%S", &tm);
	}
	return state.stamp;
}

static int syslog_priority(enum log_level level)
{
	static const int priority[] = {LOG_INFO, LOG_WARNING, LOG_ERR, LOG_CRIT, LOG_CRIT};

	return priority[level];
}

static void write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* there is no one left to tell */
		data += n;
		len -= (size_t)n;
	}
}

void log_hold(void)
{
	state.holding = true;
}

void log_release(void)
{
	state.holding = false;
	if (state.held_len > 0)
		write_all(state.fd, state.held, state.held_len);
	state.held_len = 0;
}

bool log_held(void)
{
	return state.held_len > 0;
}

void log_let_out(void)
{
	bool holding = state.holding;

	log_release();
	state.holding = holding;
}

/* What ends the process may not stay behind. */
static void write_line(enum log_level level, const char *line, size_t len)
{
	bool hold = state.holding && level < LOG_LEVEL_FATAL;

	if (!hold || len > HELD_MAX - state.held_len) {
		log_release();
		state.holding = hold;
	}
	if (!hold || len > HELD_MAX) {
		write_all(state.fd, line, len);
		return;
	}
	memcpy(state.held + state.held_len, line, len);
	state.held_len += len;
}

/* The text of a line that went elsewhere, for the person who typed the command. */
static void echo(const char *program, const char *text, size_t len)
{
	char line[LINE_MAX_LEN + TAG_MAX + 8];
	int n = snprintf(line, sizeof(line), "%s: %.*s\n", program, (int)len, text);

	if (n > 0 && (size_t)n < sizeof(line))
		write_all(STDERR_FILENO, line, (size_t)n);
}

static bool is_captured(enum log_level level)
{
	return state.capture && (level == LOG_LEVEL_WARN || level == LOG_LEVEL_ERROR);
}

static PRINTF_LIKE(3, 0) void emit(
    enum log_level level, const char *program, const char *fmt, va_list ap)
{
	static const char *const prefix[] = {"", "warning: ", "error: ", "fatal: ", "panic: "};
	char line[LINE_MAX_LEN + 512] = "";
	int saved = errno;
	size_t head, len;

	if (is_captured(level)) {
		str_vprintf(state.capture, fmt, ap);
		str_put_char(state.capture, '\n');
		return;
	}
	snprintf(state.ident, sizeof(state.ident), "%s%s%s", state.syslog_name,
	    state.syslog_name[0] ? "/" : "", program);
	if (state.sink == LOG_TO_FD)
		snprintf(line, sizeof(line), "%s %s %s[%d]: ", stamp(), state.host, state.ident,
		    own_pid());
	else if (state.sink == LOG_TO_STDERR)
		snprintf(line, sizeof(line), "%s: ", state.ident);
	head = strlen(line);
	snprintf(line + head, LINE_MAX_LEN - head, "%s", prefix[level]);
	len = strlen(line);
	errno = saved; /* for %m */
	vsnprintf(line + len, LINE_MAX_LEN - len, fmt, ap);
	len += strlen(line + len);
	text_make_printable(line, len);
	if (state.echo && state.sink != LOG_TO_STDERR)
		echo(program, line + head, len - head);
	if (state.sink == LOG_TO_SYSLOG) {
		syslog(state.facility | syslog_priority(level), "%s", line);
	} else {
		line[len++] = '\n';
		if (state.sink == LOG_TO_FD)
			write_line(level, line, len);
		else
			write_all(STDERR_FILENO, line, len);
	}
	errno = saved;
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_INFO, state.program, fmt, ap);
	va_end(ap);
}

void log_info_as(const char *program, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_INFO, program, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_WARN, state.program, fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_ERROR, state.program, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (state.verbose <= 0)
		return;
	va_start(ap, fmt);
	emit(LOG_LEVEL_INFO, state.program, fmt, ap);
	va_end(ap);
}

void fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_FATAL, state.program, fmt, ap);
	va_end(ap);
	exit(1);
}

void fatal_exit(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_FATAL, state.program, fmt, ap);
	va_end(ap);
	exit(status);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_PANIC, state.program, fmt, ap);
	va_end(ap);
	abort();
}
