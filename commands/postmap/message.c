/* SPDX-License-Identifier: ISC */
#include "commands/postmap/message.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

/* field-name *WSP ":" (RFC 5322 2.2) */
static bool is_header(const char *line)
{
	const char *at = line;

	while (*at > ' ' && *at < 127 && *at != ':')
		at++;
	if (at == line)
		return false;
	at += strspn(at, " \t");
	return *at == ':';
}

/* The boundary parameter of a multipart type, or NULL; the caller frees. */
static char *find_boundary(const char *value)
{
	const char *at = value;

	while ((at = strchr(at, ';')) != NULL) {
		at += 1 + strspn(at + 1, " \t\r\n");
		if (!text_starts_nocase(at, "boundary="))
			continue;
		at += strlen("boundary=");
		if (*at == '"')
			return alloc_strndup(at + 1, strcspn(at + 1, "\""));
		return alloc_strndup(at, strcspn(at, "; \t\r\n"));
	}
	return NULL;
}

static void note_type(struct message *m, const char *header)
{
	const char *value = header + strlen("content-type:");
	char *boundary;

	value += strspn(value, " \t\r\n");
	m->nested = text_starts_nocase(value, "message/rfc822") ||
	            text_starts_nocase(value, "message/global") ||
	            text_starts_nocase(value, "message/news");
	boundary = text_starts_nocase(value, "multipart/") ? find_boundary(value) : NULL;
	if (boundary && *boundary && m->depth < MESSAGE_BOUNDARIES_MAX)
		m->boundaries[m->depth++] = boundary;
	else
		free(boundary);
}

static void flush_header(struct message *m)
{
	if (m->header.len == 0)
		return;
	if (m->headers)
		m->key(m->arg, str_text(&m->header));
	if (m->mime && text_starts_nocase(m->header.data, "content-type:"))
		note_type(m, m->header.data);
	str_clear(&m->header);
}

/* A boundary line ends inner parts; the closing one ends its own, too. */
static bool take_boundary(struct message *m, const char *line)
{
	if (strncmp(line, "--", 2) != 0)
		return false;
	for (size_t i = m->depth; i-- > 0;) {
		size_t len = strlen(m->boundaries[i]);
		bool last;

		if (strncmp(line + 2, m->boundaries[i], len) != 0)
			continue;
		last = strncmp(line + 2 + len, "--", 2) == 0;
		while (m->depth > i + (last ? 0 : 1))
			free(m->boundaries[--m->depth]);
		m->in_body = last;
		return true;
	}
	return false;
}

void message_line(struct message *m, const char *line)
{
	if (m->in_body) {
		if (m->body && *line)
			m->key(m->arg, line);
		if (m->mime)
			take_boundary(m, line);
		return;
	}
	if (m->header.len > 0 && (*line == ' ' || *line == '\t')) {
		str_put_char(&m->header, '\n');
		str_put_text(&m->header, line);
		return;
	}
	flush_header(m);
	if (is_header(line)) {
		str_put_text(&m->header, line);
		return;
	}
	if (m->nested) { /* the header of the message within */
		m->nested = false;
		if (!*line)
			return;
	}
	m->in_body = true;
	if (*line)
		message_line(m, line);
}

void message_end(struct message *m)
{
	flush_header(m);
	while (m->depth > 0)
		free(m->boundaries[--m->depth]);
	str_fini(&m->header);
}
