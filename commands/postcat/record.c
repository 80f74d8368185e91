/* SPDX-License-Identifier: ISC */
/* Records of the queue: deferred/, hold/, incoming/, corrupt/ files and the journal. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands/postcat/postcat.h"
#include "lib/sys/fd.h"

enum { CHUNK = 64 * 1024 };

static void show_named(const struct view *view, const char *name, const char *value)
{
	if (value[0])
		attribute_show(view, 0, 'A', "named_attribute: %s=%s", name, value);
}

/* What a look at the queue is most often for; the rest of the names are Postfix's, too. */
static void show_envelope(const struct view *view, const struct message *m)
{
	const struct envelope *env = &m->env;
	const struct slice verp = envelope_attribute(env, ENVELOPE_VERP);
	const struct {
		const char *name, *value;
	} named[] = {{"envelope_id", env->envid},
	    {"ret_flags", strcmp(env->ret, "HDRS") == 0 ? "2"
	                  : env->ret[0]                 ? "1"
	                                                : ""},
	    {"log_client_name", env->client_name}, {"log_client_address", env->client_addr},
	    {"log_client_port", env->client_port}, {"log_helo_name", env->helo},
	    {"log_protocol_name", env->protocol}, {"sasl_method", env->sasl_method},
	    {"sasl_username", env->sasl_username}, {"log_message_id", env->message_id},
	    {"content_filter", env->filter}};

	marker_show("ENVELOPE RECORDS", view->name);
	attribute_show(view, 0, 'C', "message_size: %15llu %15llu %15u %15u %15llu %15d",
	    (unsigned long long)m->content_len, (unsigned long long)m->content_at, env->rcpt_count,
	    0U, (unsigned long long)m->content_len, 0);
	time_show(view, 'T', "message_arrival_time", env->arrival_us);
	time_show(view, 'A', "create_time", env->queued_us);
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		show_named(view, named[i].name, named[i].value);
	if (verp.len > 0)
		attribute_show(
		    view, 0, 'A', "named_attribute: verp_delimiters=%.*s", SLICE_ARG(verp));
	if (env->flags & (ENV_TRACE | ENV_VERIFY))
		show_named(view, "delivery_report", env->flags & ENV_VERIFY ? "verify" : "deliver");
	if (m->warned)
		show_named(view, "delay_warning", "sent");
	attribute_show(view, 0, 'S', "sender: %s", env->sender);
	show_named(view, "encoding", env->flags & ENV_8BIT ? "8bit" : "");
}

static int show_rcpts(const struct view *view, struct message *m, struct err *err)
{
	struct rcpt_cursor cursor = {0};
	struct arena arena = {0};
	struct recipient r;
	int rc;

	while ((rc = message_next_rcpt(m, &cursor, &arena, &r, err)) == 1) {
		uint64_t at = m->status_at + cursor.index - 1;

		if (r.notify)
			attribute_show(view, at, 'A', "named_attribute: notify_flags=%u", r.notify);
		if (r.orcpt[0])
			show_named(view, "dsn_orig_rcpt", r.orcpt);
		if (r.transport[0])
			attribute_show(
			    view, at, 'A', "named_attribute: route=%s:%s", r.transport, r.nexthop);
		if (r.orig[0])
			attribute_show(view, at, 'O', "original_recipient: %s", r.orig);
		attribute_show(view, at, r.status == RCPT_TODO ? 'R' : 'D', "%s: %s",
		    r.status == RCPT_TODO   ? "recipient"
		    : r.status == RCPT_DONE ? "done_recipient"
		                            : "bounced_recipient",
		    r.address);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return rc;
}

static int show_content(const struct view *view, const struct message *m, struct err *err)
{
	struct content_view c = {.view = view, .at_line_start = true, .offset = m->content_at};
	char buf[CHUNK];
	uint64_t at = 0;

	while (at < m->content_len) {
		size_t want = MIN((uint64_t)sizeof(buf), m->content_len - at);

		if (c.in_body && !view->body)
			break;
		if (fd_pread_full(m->fd, buf, want, (off_t)(m->content_at + at)) != (ssize_t)want)
			return err_set(err, EIO, "content cannot be read");
		content_show(&c, buf, want);
		at += want;
	}
	content_end(&c);
	return 0;
}

int show_record(const struct view *view, struct message *m, struct err *err)
{
	if (view->envelope) {
		show_envelope(view, m);
		if (show_rcpts(view, m, err) < 0)
			return -1;
		marker_show("MESSAGE CONTENTS", view->name);
	}
	if ((view->header || view->body) && show_content(view, m, err) < 0)
		return -1;
	if (view->envelope) {
		marker_show("HEADER EXTRACTED", view->name);
		marker_show("MESSAGE FILE END", view->name);
	}
	return 0;
}
