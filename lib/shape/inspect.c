/* SPDX-License-Identifier: ISC */
/*
 * header_checks(5) of mail that comes in. The message's own fields are looked at one by one, before
 * anything else is done with them. Fields of its parts and lines of its body are found by walking
 * through what is written; without tables for those nothing is walked.
 */
#include "lib/shape/internal.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/reply.h"

enum { SHOWN = 200 }; /* of a field or line in the log */

/* What is to become of a field or line. */
enum fate { FATE_STAYS, FATE_GOES, FATE_REPLACED };

/* ---- the log -------------------------------------------------------------------------------- */

static void log_action(
    struct shaper *s, const char *word, const char *where, struct slice text, const char *reason)
{
	struct str shown = {.max = SHOWN};

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\r')
			str_put_char(&shown, text.data[i]);
	while (shown.len && shown.data[shown.len - 1] == '\n')
		str_cut(&shown, shown.len - 1);
	log_info_as("cleanup", "%s: %s: %s %s from %s%s%s", s->id, word, where, str_text(&shown),
	    s->ctx.brought_by ? s->ctx.brought_by : "unknown;", *reason ? ": " : "", reason);
	str_fini(&shown);
}

static void log_bad(struct shaper *s, const char *what, const char *map)
{
	log_info_as("cleanup", "warning: %s: %s in %s map", s->id, what, map);
}

/* ---- decisions about the message ------------------------------------------------------------ */

/* text is "[status] words", either may be absent; what will be said. */
static const char *refuse(struct shaper *s, const char *text, const char *map)
{
	char dsn[12];
	const char *rest = smtp_dsn_split(text, dsn);
	struct str said = {0};

	while (*rest == ' ' || *rest == '\t')
		rest++;
	if (dsn[0] == '2') {
		log_bad(s, "REJECT with a status of success", map);
		dsn[0] = '4';
	}
	str_printf(
	    &said, "%s %s", dsn[0] ? dsn : "5.7.1", *rest ? rest : "message content rejected");
	shape_fail(s, dsn[0] == '4' ? SHAPE_CONTENT_LATER : SHAPE_CONTENT, str_text(&said));
	str_fini(&said);
	return s->err.text;
}

/* Is the action about the message as a whole? Then it is carried out. */
static bool decide(struct shaper *s, const struct check *check, const char *map, const char *where,
    struct slice text, const char *arg)
{
	switch (check->action) {
	case CHECK_REJECT:
		log_action(s, "reject", where, text, refuse(s, arg, map));
		s->inspect_no_more = true;
		return true;
	case CHECK_DISCARD:
		s->discard = s->inspect_no_more = true;
		break;
	case CHECK_PASS:
		s->inspect_no_more = true;
		break;
	case CHECK_HOLD:
		if (s->hold)
			return true;
		s->hold = true;
		break;
	case CHECK_FILTER:
		if (!strchr(arg, ':')) {
			log_bad(s, "FILTER without transport:destination", map);
			return true;
		}
		shape_filter(s, arg);
		break;
	case CHECK_REDIRECT:
	case CHECK_BCC:
		if (!strchr(arg, '@')) {
			log_bad(s, "REDIRECT or BCC without user@domain", map);
			return true;
		}
		if (check->action == CHECK_BCC)
			shape_bcc(s, arg);
		else
			shape_redirect(s, arg);
		break;
	default:
		return false;
	}
	log_action(s, check->word, where, text, arg);
	return true;
}

/* ---- decisions about a field or line -------------------------------------------------------- */

static enum fate act(struct shaper *s, const struct check *check, const char *map,
    const char *where, struct slice text, struct str *added)
{
	const char *arg = arena_strndup(s->ctx.arena, check->text.data, check->text.len);
	bool is_header = strcmp(where, "header") == 0;

	if (decide(s, check, map, where, text, arg))
		return FATE_STAYS;
	switch (check->action) {
	case CHECK_DUNNO:
		return FATE_STAYS;
	case CHECK_IGNORE:
		return FATE_GOES;
	case CHECK_STRIP:
		log_action(s, "strip", where, text, arg);
		return FATE_GOES;
	case CHECK_INFO:
		log_action(s, "info", where, text, arg);
		return FATE_STAYS;
	case CHECK_WARN:
		log_action(s, "warning", where, text, arg);
		return FATE_STAYS;
	case CHECK_PREPEND:
	case CHECK_REPLACE:
		if (!*arg || (is_header && header_name_len(slice_text(arg)) == 0)) {
			log_bad(s,
			    is_header ? "PREPEND or REPLACE without a header field"
			              : "PREPEND or REPLACE without text",
			    map);
			return FATE_STAYS;
		}
		log_action(s, check->word, where, text, arg);
		check_put_text(added, check->text);
		return check->action == CHECK_REPLACE ? FATE_REPLACED : FATE_STAYS;
	default:
		log_info_as("cleanup", "warning: %s: unsupported command in %s map: %.*s", s->id,
		    map, SLICE_ARG(check->value));
		return FATE_STAYS;
	}
}

static enum fate answer_of(struct shaper *s, enum table_answer answer, const struct check *check,
    const char *map, const char *where, struct slice text, struct str *added, struct err *err)
{
	if (answer == TABLE_FOUND)
		return act(s, check, map, where, text, added);
	if (answer == TABLE_ERROR) {
		err_prefix(err, "%s map lookup problem: ", map);
		shape_mapping_failed(s, err);
	}
	return FATE_STAYS;
}

static enum fate inspect_field(
    struct shaper *s, enum mime_class class_, struct slice field, struct str *added)
{
	struct check check;
	const char *map = "";
	struct err err;

	if (!s->ctx.checks || s->inspect_no_more)
		return FATE_STAYS;
	return answer_of(s, checks_header(s->ctx.checks, class_, field, &check, &map, &err), &check,
	    map, "header", field, added, &err);
}

bool shape_inspect_header(struct shaper *s)
{
	struct str added = {0};
	enum fate fate =
	    inspect_field(s, MIME_PRIMARY, slice_of(s->header.data, s->header.len), &added);

	if (fate == FATE_REPLACED) {
		str_clear(&s->header);
		str_put(&s->header, added.data, added.len);
	} else if (added.len > 0) {
		str_put(&s->out, added.data, added.len);
	}
	str_fini(&added);
	return fate != FATE_GOES;
}

/* ---- parts and bodies ----------------------------------------------------------------------- */

static void put_rest(struct shaper *s, enum fate fate, struct slice text, struct str *added)
{
	if (added->len > 0)
		shape_store(s, added->data, added->len);
	if (fate == FATE_STAYS)
		shape_store(s, text.data, text.len);
	s->dropping = fate != FATE_STAYS;
	str_clear(added);
}

static void on_field(void *arg, enum mime_class class_, struct slice field, bool cut UNUSED)
{
	struct shaper *s = arg;
	struct str added = {0};
	enum fate fate =
	    class_ == MIME_PRIMARY ? FATE_STAYS : inspect_field(s, class_, field, &added);

	put_rest(s, fate, field, &added);
	str_fini(&added);
}

static void on_rest(void *arg, struct slice piece)
{
	struct shaper *s = arg;

	if (!s->dropping)
		shape_store(s, piece.data, piece.len);
}

static void on_end(
    void *arg, const struct mime_entity *entity UNUSED, struct slice line, bool needed UNUSED)
{
	struct shaper *s = arg;

	s->body_seen = 0;
	shape_store(s, line.data, line.len);
}

static void on_body(void *arg, const struct mime_entity *entity UNUSED, enum mime_line kind,
    struct slice line, bool start, bool stop UNUSED)
{
	struct shaper *s = arg;
	struct str added = {0};
	struct check check;
	const char *map = "";
	struct err err;
	enum fate fate = FATE_STAYS;

	if (kind == MIME_BOUNDARY)
		s->body_seen = 0;
	if (!start) {
		on_rest(arg, line);
		return;
	}
	if (checks_body_wanted(s->ctx.checks) && !s->inspect_no_more)
		fate = answer_of(s,
		    checks_body(s->ctx.checks, line, &s->body_seen, &check, &map, &err), &check,
		    map, "body", line, &added, &err);
	put_rest(s, fate, line, &added);
	str_fini(&added);
}

void shape_inspect_begin(struct shaper *s)
{
	static const struct mime_events events = {on_field, on_rest, on_end, on_body};
	const struct shape_params *p = s->ctx.params;
	const struct mime_limits limits = {.field_max = (size_t)p->header_size_limit,
	    .boundary_max = (size_t)p->mime_boundary_length_limit,
	    .nesting_max = p->disable_mime_input ? 0 : p->mime_nesting_limit};

	if (s->ctx.params->overrides & SHAPE_NO_CONTENT_CHECKS)
		s->ctx.checks = NULL;
	if (checks_parts_wanted(s->ctx.checks))
		s->mime = mime_new(&limits, &events, s);
}

struct checks *shape_checks_open(const struct shape_params *p)
{
	const struct checks_tables tables = {.header = p->header_checks,
	    .mime = p->mime_header_checks,
	    .nested = p->nested_header_checks,
	    .body = p->body_checks,
	    .body_limit = (size_t)p->body_checks_size_limit,
	    .header_name = "header_checks",
	    .mime_name = "mime_header_checks",
	    .nested_name = "nested_header_checks",
	    .body_name = "body_checks"};

	return checks_open(&tables);
}
