/* SPDX-License-Identifier: ISC */
/*
 * The log: what is said gets written, unchanged, in the order in which it was said, before anybody
 * is waited for; no line has control characters; and what is about one message stands before what
 * is about the next one of its session.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/queue/id.h"
#include "tests/fuzz/session/disk.h"
#include "tests/fuzz/session/rules.h"

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
void __real_log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __real_log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __real_log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __real_log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __real_log_info_as(const char *program, const char *fmt, ...) PRINTF_LIKE(2, 3);
void __wrap_log_info_as(const char *program, const char *fmt, ...) PRINTF_LIKE(2, 3);

enum { LOG_NOWHERE = 999999, TEXT_MAX = 1000, IDS_MAX = 200 };

static struct {
	bool shown;     /* on standard error: for people */
	struct str due; /* said and not yet written; each with a line feed */
	char ids[IDS_MAX]
	        [QUEUE_ID_MAX]; /* of the session's messages; the last is the present one */
	size_t id_count;
	unsigned warnings;
} said;

void log_rules_open(void)
{
	said.shown = getenv("FUZZ_SHOW") != NULL;
	if (said.shown)
		log_set_verbose(1); /* with the dialogue */
	else
		log_open(LOG_TO_FD, LOG_NOWHERE, 0);
}

void log_rules_begin(void)
{
	said.id_count = said.warnings = 0;
}

void log_rules_wait(void)
{
	if (said.due.len > 0)
		panic("not in the log yet: %s", str_text(&said.due));
}

void log_rules_end(void)
{
	log_rules_wait();
	str_fini(&said.due);
}

bool log_rules_is_present(const char *id)
{
	return said.shown || (said.id_count > 0 && strcmp(said.ids[said.id_count - 1], id) == 0);
}

unsigned log_rules_warnings(void)
{
	return said.warnings;
}

/* ---- what is said --------------------------------------------------------------------------- */

/* What the log makes printable is equal here. */
static char plain(char c)
{
	return (unsigned char)c < 32 || (unsigned char)c > 126 ? '?' : c;
}

static void put_due(const char *prefix, const char *text)
{
	char line[TEXT_MAX];

	if (said.shown)
		return;
	snprintf(line, sizeof(line), "%s%s", prefix, text);
	for (char *p = line; *p; p++)
		*p = plain(*p);
	str_printf(&said.due, "%s\n", line);
}

/* The whole text, as much as a line of the log may have. */
#define SAY(prefix, to, ...)                            \
	do {                                            \
		char text[4096];                        \
		va_list ap;                             \
                                                        \
		va_start(ap, fmt);                      \
		vsnprintf(text, sizeof(text), fmt, ap); \
		va_end(ap);                             \
		put_due(prefix, text);                  \
		to(__VA_ARGS__ "%s", text);             \
	} while (0)

void __wrap_log_info(const char *fmt, ...)
{
	SAY("", __real_log_info, );
}

void __wrap_log_warn(const char *fmt, ...)
{
	said.warnings++;
	SAY("warning: ", __real_log_warn, );
}

void __wrap_log_error(const char *fmt, ...)
{
	said.warnings++;
	if (!play.running && !play.events)
		abort(); /* our own settings have to be right */
	SAY("error: ", __real_log_error, );
}

void __wrap_log_debug(const char *fmt, ...)
{
	if (log_verbose() > 0)
		SAY("", __real_log_debug, );
}

void __wrap_log_info_as(const char *program, const char *fmt, ...)
{
#define COMMA ,
	SAY("", __real_log_info_as, program COMMA);
}

/* ---- what is written ------------------------------------------------------------------------ */

/* What was said first is written first. */
static void take_due(const char *text, size_t len)
{
	const char *due = str_text(&said.due);
	size_t due_len = strcspn(due, "\n"), known = MIN(due_len, (size_t)TEXT_MAX - 1);

	bool same = said.due.len > 0 && (known == TEXT_MAX - 1 ? len >= known : len == known);

	for (size_t i = 0; same && i < known; i++)
		same = plain(text[i]) == due[i];
	if (!same)
		panic("written: %.*s, said: %s", (int)len, text, due);
	str_consume(&said.due, due_len + 1);
}

/* A message's lines are over when the next one of its session begins. */
static void look_at_message(const char *text, size_t len)
{
	static const char client[] = ": client=";
	const char *colon = memchr(text, ':', len);
	char id[QUEUE_ID_MAX];

	if (!colon || (size_t)(colon - text) >= sizeof(id))
		return;
	snprintf(id, sizeof(id), "%.*s", (int)(colon - text), text);
	for (size_t i = 0; i + 1 < said.id_count; i++)
		must(strcmp(said.ids[i], id) != 0);
	if (len - (size_t)(colon - text) < sizeof(client) ||
	    memcmp(colon, client, sizeof(client) - 1) != 0)
		return;
	must(queue_id_valid(id) && !log_rules_is_present(id));
	must(said.id_count < IDS_MAX);
	strcpy(said.ids[said.id_count++], id);
}

static void look_at_line(const char *line, size_t len)
{
	static const char *const prefixes[] = {"", "warning: ", "error: "};
	const char *text = memmem(line, len, "]: ", 3);
	size_t left;

	for (size_t i = 0; i < len; i++)
		must((unsigned char)line[i] >= 32 && line[i] != 127);
	must(text);
	text += 3;
	left = len - (size_t)(text - line);
	if (left > 7 && (memcmp(text, "panic: ", 7) == 0 || memcmp(text, "fatal: ", 7) == 0)) {
		__real_write(STDERR_FILENO, line, len + 1); /* with its line feed */
		return;
	}
	take_due(text, left);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t skip = strlen(prefixes[i]);

		if (skip < left && memcmp(text, prefixes[i], skip) == 0 && skip > 0)
			look_at_message(text + skip, left - skip);
		else if (skip == 0)
			look_at_message(text, left);
	}
}

void log_rules_written(const char *data, size_t len)
{
	const char *at = data, *end = data + len, *lf;

	must(len > 1 && data[len - 1] == '\n');
	for (; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		look_at_line(at, (size_t)(lf - at));
	}
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	static int depth; /* when a rule is broken, the log is written to from within */

	if (fd != LOG_NOWHERE)
		return disk_write(fd, data, len);
	if (depth++ == 0)
		log_rules_written(data, len);
	else
		__real_write(STDERR_FILENO, data, len);
	depth--;
	return (ssize_t)len;
}
