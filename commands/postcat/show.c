/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands/postcat/postcat.h"

static void columns(const struct view *view, uint64_t offset, char type)
{
	if (view->offsets)
		printf("%9llu ", (unsigned long long)offset);
	if (view->types)
		printf("%3d ", type);
}

void attribute_show(const struct view *view, uint64_t offset, char type, const char *fmt, ...)
{
	va_list ap;

	columns(view, offset, type);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void marker_show(const char *what, const char *name)
{
	printf("*** %s %s ***\n", what, name);
}

void time_show(const struct view *view, char type, const char *name, uint64_t us)
{
	time_t when = (time_t)(us / 1000000);
	char text[64] = "?";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	attribute_show(view, 0, type, "%s: %s", name, text);
}

/* Does the header end before this line? An empty line belongs to the body. */
static bool begins_body(const char *line, size_t len)
{
	size_t i = 0;

	if (len > 0 && (line[0] == ' ' || line[0] == '\t'))
		return false;
	while (i < len && line[i] > ' ' && line[i] < 127 && line[i] != ':')
		i++;
	return i == 0 || i == len || line[i] != ':';
}

static void show_line(struct content_view *c, const char *line, size_t len, bool whole)
{
	bool shown;

	if (c->at_line_start && !c->in_body)
		c->in_body = begins_body(line, len);
	shown = c->in_body ? c->view->body : c->view->header;
	if (shown) {
		if (c->at_line_start)
			columns(c->view, c->offset, 'N');
		fwrite(line, 1, len - (whole && len > 0 && line[len - 1] == '\r'), stdout);
		if (whole)
			putchar('\n');
	}
	c->started = shown && !whole;
	c->at_line_start = whole;
}

void content_show(struct content_view *c, const char *data, size_t len)
{
	while (len > 0) {
		const char *nl = memchr(data, '\n', len);
		size_t line = nl ? (size_t)(nl - data) : len;

		show_line(c, data, line, nl != NULL);
		c->offset += line + (nl != NULL);
		data += line + (nl != NULL);
		len -= line + (nl != NULL);
	}
}

void content_end(struct content_view *c)
{
	if (c->started)
		putchar('\n');
}
