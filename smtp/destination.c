/* SPDX-License-Identifier: ISC */
#include "smtp/destination.h"

#include <errno.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/sys/net.h"

static int set_port(const char *text, const char *port, struct arena *arena,
    struct destination *out, struct err *err)
{
	char none[4];

	if (net_split_host_port(port, none, sizeof(none), &out->port, err) < 0 || *none)
		return err_set(err, EINVAL, "unknown port in destination \"%s\"", text);
	if (port[strspn(port, "0123456789")])
		out->service = arena_strdup(arena, port);
	return 0;
}

static int parse_bracketed(
    const char *text, struct arena *arena, struct destination *out, struct err *err)
{
	const char *host = text + 1, *end = strchr(host, ']');

	if (!end || (end[1] && (end[1] != ':' || !end[2])))
		return err_set(err, EINVAL, "malformed destination \"%s\"", text);
	if (text_starts_nocase(host, "ipv6:"))
		host += strlen("ipv6:");
	out->direct = true;
	out->host = arena_strndup(arena, host, (size_t)(end - host));
	return end[1] ? set_port(text, end + 2, arena, out, err) : 0;
}

int destination_parse(const char *text, unsigned default_port, struct arena *arena,
    struct destination *out, struct err *err)
{
	struct net_addr addr;
	const char *colon;
	int rc = 0;

	*out = (struct destination){.port = default_port};
	if (text_starts_nocase(text, "unix:")) {
		out->is_unix = out->direct = true;
		out->host = arena_strdup(arena, text + strlen("unix:"));
	} else {
		if (text_starts_nocase(text, "inet:"))
			text += strlen("inet:");
		colon = strrchr(text, ':');
		if (text[0] == '[') {
			rc = parse_bracketed(text, arena, out, err);
		} else if (colon && colon == strchr(text, ':')) {
			out->host = arena_strndup(arena, text, (size_t)(colon - text));
			rc = set_port(text, colon + 1, arena, out, err);
		} else {
			out->host = arena_strdup(arena, text);
		}
	}
	if (rc < 0)
		return -1;
	if (!*out->host)
		return err_set(err, EINVAL, "empty destination \"%s\"", text);
	/* an address has no mail exchangers, whatever the writer forgot */
	if (!out->is_unix && net_addr_parse(&addr, out->host, 0))
		out->direct = true;
	return 0;
}

const char *destination_next(const char **cursor, struct arena *arena)
{
	const char *start = *cursor + strspn(*cursor, ", \t\r\n");
	size_t len = strcspn(start, ", \t\r\n");

	*cursor = start + len;
	return len ? arena_strndup(arena, start, len) : NULL;
}
