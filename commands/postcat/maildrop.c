/* SPDX-License-Identifier: ISC */
/* Files of maildrop/, which are not in the queue's form yet (lib/peer/maildrop.h). */
#include <errno.h>

#include "commands/postcat/postcat.h"
#include "lib/peer/maildrop.h"

struct drop_view {
	const struct view *view;
	struct content_view content;
	bool in_content, after_content;
	uint64_t offset;
};

static void show_envelope(const struct view *view, const struct maildrop_envelope *env)
{
	if (!view->envelope)
		return;
	marker_show("ENVELOPE RECORDS", view->name);
	time_show(view, 'T', "message_arrival_time", env->time_us);
	attribute_show(view, 0, 'A', "named_attribute: uid=%u", env->uid);
	attribute_show(view, 0, 'A', "named_attribute: rewrite_context=%s",
	    env->flags & MAILDROP_REMOTE ? "remote" : "local");
	if (env->flags & MAILDROP_8BIT)
		attribute_show(view, 0, 'A', "named_attribute: encoding=8bit");
	if (env->envid[0])
		attribute_show(view, 0, 'A', "named_attribute: envelope_id=%s", env->envid);
	if (env->ret[0])
		attribute_show(view, 0, 'A', "named_attribute: ret_flags=%s", env->ret);
	if (env->verp[0])
		attribute_show(view, 0, 'A', "named_attribute: verp_delimiters=%s", env->verp);
	if (env->orig_id[0])
		attribute_show(view, 0, 'A', "named_attribute: original_queue_id=%s", env->orig_id);
	if (env->full_name[0])
		attribute_show(view, 0, 'F', "sender_fullname: %s", env->full_name);
	attribute_show(view, 0, 'S', "sender: %s", env->sender);
}

/* The parts follow each other as in the file; markers stand where one part becomes the next. */
static void enter_content(struct drop_view *d)
{
	if (!d->in_content && d->view->envelope)
		marker_show("MESSAGE CONTENTS", d->view->name);
	d->in_content = true;
}

static void leave_content(struct drop_view *d)
{
	enter_content(d);
	if (!d->after_content) {
		content_end(&d->content);
		if (d->view->envelope)
			marker_show("HEADER EXTRACTED", d->view->name);
	}
	d->after_content = true;
}

static void show_item(struct drop_view *d, const struct maildrop_item *item)
{
	switch (item->type) {
	case MAILDROP_ENVELOPE:
		show_envelope(d->view, &item->env);
		break;
	case MAILDROP_RCPT:
		if (d->in_content)
			leave_content(d);
		if (d->view->envelope && item->rcpt.notify)
			attribute_show(
			    d->view, 0, 'A', "named_attribute: notify_flags=%u", item->rcpt.notify);
		if (d->view->envelope)
			attribute_show(d->view, 0, 'R', "recipient: %s", item->rcpt.address);
		break;
	case MAILDROP_CONTENT:
		enter_content(d);
		content_show(&d->content, item->content.data, item->content.len);
		break;
	default:
		leave_content(d);
		if (d->view->envelope)
			marker_show("MESSAGE FILE END", d->view->name);
	}
}

int show_maildrop(const struct view *view, int fd, struct err *err)
{
	struct drop_view d = {.view = view, .content = {.view = view, .at_line_start = true}};
	struct maildrop_reader reader = {0};
	struct maildrop_item item = {0};
	struct arena arena = {0};
	int rc;

	while ((rc = maildrop_read(&reader, fd, &arena, &item, err)) == 1) {
		show_item(&d, &item);
		arena_reset(&arena);
		if (item.type == MAILDROP_END)
			break;
	}
	if (rc == 0)
		rc = err_set(err, EBADMSG, "the file ends too early");
	else if (rc < 0 && !reader.last)
		err_set(err, EBADMSG, "input is not a valid queue file");
	maildrop_reader_fini(&reader);
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}
