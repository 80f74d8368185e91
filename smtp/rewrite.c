/* SPDX-License-Identifier: ISC */
#include "smtp/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/qp.h"

enum { SHOWN = 60 }; /* of a field or line in the log */

struct rewrite {
	const struct rewrite_plan *plan;
	struct str *out;
	struct mime *mime;
	struct qp qp;
	bool dropping;  /* the rest of a field or line that was taken out */
	bool to_qp;     /* the part at hand becomes quoted-printable */
	bool said_8bit; /* its header said so; it is said anew at the header's end */
	size_t seen;    /* by body checks, of this part */
	bool failed;
	struct err err;
};

struct checks *rewrite_open_checks(const struct smtp_content_params *p, bool lmtp)
{
	struct checks_tables tables = {.header = p->header_checks,
	    .mime = p->mime_header_checks,
	    .nested = p->nested_header_checks,
	    .body = p->body_checks,
	    .body_limit = (size_t)p->body_checks_size_limit,
	    .header_name = lmtp ? "lmtp_header_checks" : "smtp_header_checks",
	    .mime_name = lmtp ? "lmtp_mime_header_checks" : "smtp_mime_header_checks",
	    .nested_name = lmtp ? "lmtp_nested_header_checks" : "smtp_nested_header_checks",
	    .body_name = lmtp ? "lmtp_body_checks" : "smtp_body_checks"};

	return checks_open(&tables);
}

/* ---- actions -------------------------------------------------------------------------------- */

enum { DOES_LOG = 1, DOES_REMOVE = 2, DOES_REPLACE = 4, DOES_PREPEND = 8, DOES_NOTHING = 16 };

static const struct {
	enum check_action action;
	const char *word; /* in the log */
	int does;
} actions[] = {
    {CHECK_DUNNO, "", DOES_NOTHING},
    {CHECK_IGNORE, "", DOES_REMOVE},
    {CHECK_INFO, "info", DOES_LOG},
    {CHECK_PREPEND, "prepend", DOES_LOG | DOES_PREPEND},
    {CHECK_REPLACE, "replace", DOES_LOG | DOES_REPLACE},
    {CHECK_STRIP, "strip", DOES_LOG | DOES_REMOVE},
    {CHECK_WARN, "warning", DOES_LOG},
};

static void log_action(const struct rewrite *r, const char *word, const char *where,
    struct slice text, struct slice reason)
{
	struct str shown = {.max = SHOWN};

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\r')
			str_put(&shown, &text.data[i], 1);
	while (shown.len && shown.data[shown.len - 1] == '\n')
		str_cut(&shown, shown.len - 1);
	log_info("%s: %s: %s %s%s%.*s", r->plan->id, word, where, str_text(&shown),
	    reason.len ? ": " : "", SLICE_ARG(reason));
	str_fini(&shown);
}

/* DOES_REMOVE, DOES_REPLACE, or 0: the text itself goes on as it was. */
static int act(struct rewrite *r, const struct check *check, const char *map, const char *where,
    struct slice text)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		int does = actions[i].does;

		if (actions[i].action != check->action)
			continue;
		if (check_needs_text(check->action) && !check->text.len) {
			log_warn("%s action without text in %s map",
			    check->action == CHECK_REPLACE ? "REPLACE" : "PREPEND", map);
			return 0;
		}
		if (does & DOES_LOG)
			log_action(r, actions[i].word, where, text, check->text);
		if (does & (DOES_PREPEND | DOES_REPLACE))
			check_put_text(r->out, check->text);
		return does & (DOES_REMOVE | DOES_REPLACE);
	}
	log_warn("unsupported command in %s map: %.*s", map, SLICE_ARG(check->value));
	return 0;
}

static void fail(struct rewrite *r, const struct err *err)
{
	if (!r->failed)
		r->err = *err;
	r->failed = true;
}

/* ---- events --------------------------------------------------------------------------------- */

/* In a conversion, what is said of the encoding is said at the end of the header. */
static bool is_held_back(struct rewrite *r, const struct header *header)
{
	size_t len = 0;
	struct slice value = header->value;

	if (!(r->plan->what & REWRITE_TO_7BIT) || !header_is(header, "Content-Transfer-Encoding"))
		return false;

	while (len < value.len && !strchr(" \t\r\n;(", value.data[len]))
		len++;
	value.len = len;
	r->said_8bit = slice_eq_nocase(value, "8bit") || slice_eq_nocase(value, "binary");
	return r->said_8bit;
}

static bool checked(struct rewrite *r, enum mime_class class_, struct slice field)
{
	struct check check;
	const char *map;
	struct err err;

	if (!r->plan->checks)
		return false;
	switch (checks_header(r->plan->checks, class_, field, &check, &map, &err)) {
	case TABLE_FOUND:
		return act(r, &check, map, "header", field);
	case TABLE_ERROR:
		fail(r, &err);
		return false;
	default:
		return false;
	}
}

static void on_field(void *arg, enum mime_class class_, struct slice field, bool cut)
{
	struct rewrite *r = arg;
	struct header header;
	struct err err;
	size_t at = 0;

	r->dropping = checked(r, class_, field);
	if (r->dropping)
		return;
	if (!header_next(field, &at, &header)) {
		str_put(r->out, field.data, field.len);
		return;
	}
	r->dropping = is_held_back(r, &header);
	if (r->dropping)
		return;
	if (r->plan->generic && class_ == MIME_PRIMARY && !cut &&
	    generic_has_addresses(header.name)) {
		if (generic_map_field(r->plan->generic, &header, r->out, &err) < 0)
			fail(r, &err);
		return;
	}
	str_put(r->out, field.data, field.len);
}

static void on_rest(void *arg, struct slice piece)
{
	struct rewrite *r = arg;

	if (!r->dropping)
		str_put(r->out, piece.data, piece.len);
}

static void on_end(void *arg, const struct mime_entity *entity, struct slice line, bool needed)
{
	struct rewrite *r = arg;
	bool leaf = entity->kind == MIME_TEXT || entity->kind == MIME_OTHER;

	r->seen = 0;
	r->qp = (struct qp){0};
	r->to_qp = r->said_8bit && leaf && !entity->fixed;
	if (r->to_qp)
		str_put_text(r->out, "Content-Transfer-Encoding: quoted-printable\r\n");
	else if (r->said_8bit)
		str_put_text(r->out, entity->fixed ? "Content-Transfer-Encoding: 8bit\r\n"
		                                   : "Content-Transfer-Encoding: 7bit\r\n");
	r->said_8bit = false;
	if (line.len || needed)
		str_put(r->out, "\r\n", 2);
}

static bool body_checked(struct rewrite *r, struct slice line)
{
	struct check check;
	const char *map;
	struct err err;

	if (!checks_body_wanted(r->plan->checks))
		return false;
	switch (checks_body(r->plan->checks, line, &r->seen, &check, &map, &err)) {
	case TABLE_FOUND:
		return act(r, &check, map, "body", line);
	case TABLE_ERROR:
		fail(r, &err);
		return false;
	default:
		return false;
	}
}

static void on_body(void *arg, const struct mime_entity *entity UNUSED, enum mime_line kind,
    struct slice line, bool start, bool stop)
{
	struct rewrite *r = arg;
	size_t len = line.len;

	if (kind == MIME_BOUNDARY)
		r->seen = 0;
	if (start)
		r->dropping = body_checked(r, line);
	if (r->dropping)
		return;
	if (!r->to_qp || kind != MIME_BODY) {
		str_put(r->out, line.data, line.len);
		return;
	}
	while (stop && len > 0 && (line.data[len - 1] == '\n' || line.data[len - 1] == '\r'))
		len--;
	qp_put(&r->qp, r->out, line.data, len);
	if (stop)
		qp_end_line(&r->qp, r->out, slice_of(line.data + len, line.len - len));
}

/* ---- the message ---------------------------------------------------------------------------- */

struct rewrite *rewrite_begin(const struct rewrite_plan *plan, struct str *out)
{
	static const struct mime_events events = {on_field, on_rest, on_end, on_body};
	const struct smtp_content_params *p = plan->params;
	struct mime_limits limits = {.field_max = (size_t)p->header_size_limit,
	    .boundary_max = (size_t)p->mime_boundary_length_limit,
	    .nesting_max = p->mime_nesting_limit};
	struct rewrite *r = alloc_zero(1, sizeof(*r));

	if (!(plan->what & (REWRITE_PARTS | REWRITE_TO_7BIT)))
		limits.nesting_max = 0;
	r->plan = plan;
	r->out = out;
	r->mime = mime_new(&limits, &events, r);
	return r;
}

static int result(const struct rewrite *r, struct err *err)
{
	if (r->failed)
		*err = r->err;
	return r->failed ? -1 : 0;
}

int rewrite_put(struct rewrite *r, const char *data, size_t len, struct err *err)
{
	if (!r->failed)
		mime_put(r->mime, data, len);
	return result(r, err);
}

int rewrite_end(struct rewrite **rewrite, struct err *err)
{
	struct rewrite *r = *rewrite;
	int rc = 0;

	if (!r)
		return 0;
	if (!r->failed)
		mime_end(r->mime);
	rc = result(r, err);
	mime_free(&r->mime);
	free(r);
	*rewrite = NULL;
	return rc;
}
