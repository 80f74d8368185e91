/* SPDX-License-Identifier: ISC */
/*
 * Messages to files. A message is collected whole and leaves in one write at its end, so that a
 * file never holds a part of a message, nor messages mixed.
 */
#include "commands/smtp-sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/mail/date.h"
#include "lib/sys/fd.h"

bool dump_wanted(const struct sink *sink)
{
	return sink->one_template || sink->many_template;
}

/* "X-Name: value", the value without blanks at its ends. */
static void put_header(struct str *out, const char *name, struct slice value)
{
	value = slice_trim(value);
	str_printf(out, "%s: %.*s\n", name, SLICE_ARG(value));
}

static void put_head(struct session *s, struct str *out, time_t now)
{
	const struct sink *sink = s->sink;
	char addr[64], date[MAIL_DATE_MAX];
	struct net_addr peer;
	struct slice rest = slice_of(str_text(&s->rcpts), s->rcpts.len);

	net_addr_from_fd(&peer, s->fd, true);
	net_addr_text(&peer, addr, sizeof(addr));
	str_put(out, sink->start_text.data, sink->start_text.len);
	str_printf(out, "X-Client-Addr: %s%s\n", net_addr_is_v6(&peer) ? "ipv6:" : "", addr);
	str_printf(out, "X-Client-Proto: %s\n", s->proto);
	if (s->helo.len > 0)
		put_header(out, "X-Helo-Args", slice_text(s->helo.data));
	put_header(out, "X-Mail-Args", slice_text(str_text(&s->mail)));
	while (rest.len > 0) {
		size_t len = strcspn(rest.data, "\n");

		put_header(out, "X-Rcpt-Args", slice_of(rest.data, len));
		rest = slice_of(rest.data + len + 1, rest.len - len - 1);
	}
	mail_date(date, now);
	str_printf(out, "Received: from %s ([%s%s])\n\tby %s (smtp-sink) with %s id %08lx;\n\t%s\n",
	    s->helo.len ? s->helo.data : "unknown", net_addr_is_v6(&peer) ? "IPv6:" : "", addr,
	    sink->hostname, s->proto, (unsigned long)random() & 0xffffffff, date);
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			fatal("mkdir %s: %s", path, strerror(errno));
		*slash = '/';
	}
}

/* The template comes from the person who started the program. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t expand(char *out, size_t size, const char *template, const struct tm *tm)
{
	return strftime(out, size, template, tm);
}
#pragma GCC diagnostic pop

static void write_file(const char *template, bool single, const struct str *text, time_t now)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (single ? O_EXCL : O_APPEND);
	char path[1024];
	struct tm tm;
	size_t len;
	int fd;

	localtime_r(&now, &tm);
	do {
		len = expand(path, sizeof(path) - 16, template, &tm);
		if (len == 0)
			fatal("dump template %s: gives no file name", template);
		if (single)
			snprintf(path + len, 16, "%08lx", (unsigned long)random());
		fd = open(path, flags, 0644);
		if (fd < 0 && errno == ENOENT) {
			make_folders(path);
			fd = open(path, flags, 0644);
		}
	} while (fd < 0 && single && errno == EEXIST);
	if (fd < 0)
		fatal("open %s: %s", path, strerror(errno));
	if (fd_write_all(fd, text->data, text->len) < 0)
		fatal("write %s: %s", path, strerror(errno));
	close(fd);
}

void dump_message(struct session *s)
{
	struct str text = {0};
	time_t now = time(NULL);

	put_head(s, &text, now);
	str_put(&text, s->content.data, s->content.len);
	str_put_char(&text, '\n');
	if (s->sink->one_template)
		write_file(s->sink->one_template, true, &text, now);
	if (s->sink->many_template)
		write_file(s->sink->many_template, false, &text, now);
	str_fini(&text);
}
