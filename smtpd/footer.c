/* SPDX-License-Identifier: ISC */
#include "smtpd/footer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/smtp/reply.h"
#include "smtpd/macros.h"

static const char *macro(void *arg, struct slice name)
{
	struct session *s = arg;
	char now[32] = "";
	time_t t = time(NULL);
	struct tm tm;
	const struct {
		const char *name, *value;
	} macros[] = {
	    {"client_address", s->peer.addr},
	    {"client_name", s->peer.name},
	    {"client_port", s->peer.port},
	    {"server_name", s->srv->config->core->myhostname},
	    {"helo_name", s->helo},
	    {"sender", s->tx.sender.given},
	    {"recipient", s->tx.has_rcpt ? s->tx.rcpt.given : NULL},
	    {"localtime", now},
	};

	localtime_r(&t, &tm);
	strftime(now, sizeof(now), "%b %d %H:%M:%S", &tm);
	for (size_t i = 0; i < ARRAY_LEN(macros); i++)
		if (slice_eq(name, macros[i].name))
			return arena_strdup(&s->arena, macros[i].value ? macros[i].value : "");
	log_warn("unknown macro name \"%.*s\" in expansion request", SLICE_ARG(name));
	return "";
}

/* The footer with its macros in place and "\n" as line feed; "\c" is left. */
static void expand(struct session *s, const char *text, struct str *out)
{
	struct str lines = {0};

	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == 'n') {
			str_put_char(&lines, '\n');
			text++;
		} else if (*text != '\r') {
			str_put_char(&lines, *text);
		}
	}
	macros_expand(out, str_text(&lines), macro, s, s->srv->expansion_allowed);
	str_fini(&lines);
}

static bool find(struct session *s, const char *reply, struct str *out)
{
	struct err err;

	switch (table_chain_get(s->srv->footer_maps, reply, out, &err)) {
	case TABLE_FOUND:
		return true;
	case TABLE_ERROR:
		log_warn("%s", err.text);
		break;
	case TABLE_NOT_FOUND:
		break;
	}
	str_clear(out);
	str_put_text(out, s->params->reject_footer);
	return out->len > 0;
}

/* A line before another one: "550 " becomes "550-". */
static void continue_line(struct str *reply, size_t line)
{
	if (reply->len > line + 3)
		reply->data[line + 3] = '-';
}

void footer_put(struct session *s, struct str *reply)
{
	struct str footer = {0}, text = {0};
	char prefix[20] = "", dsn[12];
	size_t line = 0;
	char *at, *lf;

	if (reply->len < 4 || (reply->data[0] != '4' && reply->data[0] != '5') ||
	    !find(s, str_text(reply), &footer))
		goto out;
	expand(s, str_text(&footer), &text);
	smtp_dsn_split(str_text(reply) + 4, dsn);
	snprintf(prefix, sizeof(prefix), "%.3s %s%s", reply->data, dsn, dsn[0] ? " " : "");
	at = text.len ? text.data : NULL;
	if (at && strncmp(at, "\\c", 2) == 0) {
		lf = strchr(at, '\n');
		str_put(reply, at + 2, lf ? (size_t)(lf - at - 2) : strlen(at + 2));
		at = lf ? lf + 1 : NULL;
	}
	while (at && *at) {
		lf = strchr(at, '\n');
		continue_line(reply, line);
		str_put_text(reply, "\r\n");
		line = reply->len;
		str_put_text(reply, prefix);
		str_put(reply, at, lf ? (size_t)(lf - at) : strlen(at));
		at = lf ? lf + 1 : NULL;
	}
out:
	str_fini(&footer);
	str_fini(&text);
}
