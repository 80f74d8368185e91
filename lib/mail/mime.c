/* SPDX-License-Identifier: ISC */
#include "lib/mail/mime.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/mail/header.h"

/*
 * A stack of the multipart bodies that are open. A boundary line of any of them ends all that are
 * within it (RFC 2046 5.1.2: a part cannot go on behind a boundary of what contains it).
 */
struct level {
	struct level *outer;
	char *boundary;
	size_t len;
	int depth;               /* outside */
	bool digest;             /* its parts are messages unless they say otherwise */
	struct mime_entity self; /* the multipart entity, for what stands between the parts */
};

enum state { IN_HEADER, IN_FIELD_REST, IN_BODY };

struct mime {
	struct mime_limits limits;
	const struct mime_events *events;
	void *arg;
	enum state state;
	struct mime_entity entity; /* of the header, or body, that is being read */
	enum mime_line body_kind;
	struct level *level;
	int depth;              /* of messages and multiparts */
	struct str line, field; /* incomplete */
	bool in_line;           /* pieces of a long line were told */
	struct str boundary;    /* of the Content-Type of the present header */
	bool digest;
};

struct mime *mime_new(const struct mime_limits *limits, const struct mime_events *events, void *arg)
{
	struct mime *m = alloc_zero(1, sizeof(*m));

	m->limits = *limits;
	m->events = events;
	m->arg = arg;
	return m;
}

static void pop(struct mime *m)
{
	struct level *top = m->level;

	m->level = top->outer;
	m->depth = top->depth;
	free(top->boundary);
	free(top);
}

void mime_free(struct mime **mime)
{
	struct mime *m = *mime;

	if (!m)
		return;
	while (m->level)
		pop(m);
	str_fini(&m->line);
	str_fini(&m->field);
	str_fini(&m->boundary);
	free(m);
	*mime = NULL;
}

/* ---- headers -------------------------------------------------------------------------------- */

static void begin_header(struct mime *m, enum mime_class class_, bool message)
{
	m->state = IN_HEADER;
	m->entity = (struct mime_entity){
	    .class_ = class_, .kind = message ? MIME_MESSAGE : MIME_TEXT, .encoding = MIME_7BIT};
	m->digest = false;
	str_clear(&m->boundary);
}

static void note_type(struct mime *m, struct slice value)
{
	static const char *const walked[] = {"rfc822", "global"};
	static const char *const fixed[] = {"partial", "external-body"};
	struct slice type, subtype;

	m->entity.kind = MIME_OTHER;
	m->entity.fixed = false;
	m->digest = false;
	if (!mime_parse_type(value, &type, &subtype, &m->boundary)) {
		m->entity.kind = MIME_TEXT;
	} else if (slice_eq_nocase(type, "text")) {
		m->entity.kind = MIME_TEXT;
	} else if (slice_eq_nocase(type, "multipart")) {
		m->digest = slice_eq_nocase(subtype, "digest");
		if (m->boundary.len)
			m->entity.kind = MIME_MULTIPART;
	} else if (slice_eq_nocase(type, "message")) {
		for (size_t i = 0; i < ARRAY_LEN(walked); i++)
			if (slice_eq_nocase(subtype, walked[i]))
				m->entity.kind = MIME_MESSAGE;
		for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
			m->entity.fixed |= slice_eq_nocase(subtype, fixed[i]);
	}
}

static void note_encoding(struct mime *m, struct slice value)
{
	static const struct {
		const char *name;
		enum mime_encoding encoding;
	} names[] = {{"7bit", MIME_7BIT}, {"8bit", MIME_8BIT}, {"binary", MIME_BINARY}};
	size_t len = 0;

	/* a comment or rubbish may follow */
	while (len < value.len && !strchr(" \t\r\n;(", value.data[len]))
		len++;
	m->entity.encoding = MIME_ENCODED;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(slice_of(value.data, len), names[i].name))
			m->entity.encoding = names[i].encoding;
}

static void tell_field(struct mime *m, bool cut)
{
	struct slice whole = slice_of(str_text(&m->field), m->field.len);
	struct header header;
	size_t at = 0;

	if (!whole.len)
		return;
	if (header_next(whole, &at, &header)) {
		if (header_is(&header, "Content-Type"))
			note_type(m, header.value);
		else if (header_is(&header, "Content-Transfer-Encoding"))
			note_encoding(m, header.value);
	}
	m->events->field(m->arg, m->entity.class_, whole, cut);
	str_clear(&m->field);
}

static void push(struct mime *m)
{
	struct level *level = alloc_zero(1, sizeof(*level));

	level->outer = m->level;
	level->len = MIN(m->boundary.len, m->limits.boundary_max);
	level->boundary = alloc_strndup(str_text(&m->boundary), level->len);
	level->depth = m->depth;
	level->digest = m->digest;
	level->self = m->entity;
	m->level = level;
	m->depth++;
}

/* What the header leads to. */
static void end_header(struct mime *m, struct slice line, bool needed)
{
	bool deep = m->depth >= m->limits.nesting_max;
	enum mime_kind kind;

	tell_field(m, false);
	/* RFC 2045 6.4: what holds other parts cannot be encoded itself */
	kind = m->entity.kind;
	if ((kind == MIME_MULTIPART || kind == MIME_MESSAGE) &&
	    (deep || m->entity.encoding == MIME_ENCODED))
		m->entity.kind = kind = MIME_OTHER;
	m->events->end(m->arg, &m->entity, line, needed);
	m->state = IN_BODY;
	m->body_kind = MIME_BODY;
	if (kind == MIME_MULTIPART) {
		m->body_kind = MIME_BETWEEN;
		push(m);
	} else if (kind == MIME_MESSAGE) {
		m->depth++;
		begin_header(m, MIME_NESTED, false);
	}
}

/* ---- bodies --------------------------------------------------------------------------------- */

static bool is_padding(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p == end;
}

/* Which open multipart's boundary is this line? NULL: none's. */
static struct level *find_level(const struct mime *m, struct slice line, bool *close_out)
{
	const char *end = line.data + line.len;

	if (line.len < 3 || line.data[0] != '-' || line.data[1] != '-')
		return NULL;
	for (struct level *l = m->level; l; l = l->outer) {
		const char *p = line.data + 2 + l->len;

		if (line.len < 2 + l->len || memcmp(line.data + 2, l->boundary, l->len) != 0)
			continue;
		*close_out = end - p >= 2 && p[0] == '-' && p[1] == '-';
		if (is_padding(*close_out ? p + 2 : p, end) || l->len == m->limits.boundary_max)
			return l;
	}
	return NULL;
}

/* true: it was a boundary line, and is told. */
static bool take_boundary(struct mime *m, struct slice line)
{
	bool close = false;
	struct level *level = find_level(m, line, &close);

	if (!level)
		return false;
	if (m->state != IN_BODY)
		end_header(m, slice_of("", 0), false); /* a header without an end */
	while (m->level != level)
		pop(m);
	m->depth = level->depth + 1;
	m->entity = level->self;
	m->events->body(m->arg, &m->entity, MIME_BOUNDARY, line, true, true);
	if (!close) {
		begin_header(m, MIME_PART, level->digest);
		return true;
	}
	pop(m);
	m->state = IN_BODY;
	m->body_kind = MIME_BETWEEN;
	return true;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool is_empty(struct slice line)
{
	return slice_eq(line, "\n") || slice_eq(line, "\r\n");
}

static void field_line(struct mime *m, struct slice line)
{
	str_put(&m->field, line.data, line.len);
	if (m->field.len <= m->limits.field_max)
		return;
	tell_field(m, true);
	m->state = IN_FIELD_REST;
}

/* A line, or as much of one as fits. start: its first piece, stop: its last. */
static void take_line(struct mime *m, struct slice line, bool start, bool stop)
{
	if (start && m->level && take_boundary(m, line))
		return;
	if (m->state != IN_BODY && start) {
		if (header_is_fold(line) && (m->field.len || m->state == IN_FIELD_REST)) {
			/* goes on */
		} else if (header_name_len(line)) {
			if (m->state == IN_HEADER)
				tell_field(m, false);
			m->state = IN_HEADER;
		} else {
			bool empty = is_empty(line);

			end_header(m, empty ? line : slice_of("", 0), !empty);
			if (!empty)
				take_line(m, line, start, stop);
			return;
		}
	}
	if (m->state == IN_HEADER)
		field_line(m, line);
	else if (m->state == IN_FIELD_REST)
		m->events->rest(m->arg, line);
	else
		m->events->body(m->arg, &m->entity, m->body_kind, line, start, stop);
}

static void take_held(struct mime *m, bool stop)
{
	take_line(m, slice_of(str_text(&m->line), m->line.len), !m->in_line, stop);
	m->in_line = !stop;
	str_clear(&m->line);
}

void mime_put(struct mime *m, const char *data, size_t len)
{
	while (len > 0) {
		const char *lf = memchr(data, '\n', len);
		size_t take = lf ? (size_t)(lf - data) + 1 : len;

		if (m->line.len == 0 && !m->in_line && lf && take <= MIME_LINE_MAX) {
			take_line(m, slice_of(data, take), true, true);
		} else {
			take = MIN(take, MIME_LINE_MAX - m->line.len);
			lf = data[take - 1] == '\n' ? data : NULL;
			str_put(&m->line, data, take);
			if (lf)
				take_held(m, true);
			else if (m->line.len == MIME_LINE_MAX)
				take_held(m, false);
		}
		data += take;
		len -= take;
	}
}

void mime_end(struct mime *m)
{
	if (m->line.len || m->in_line)
		take_held(m, true);
	if (m->state != IN_BODY)
		end_header(m, slice_of("", 0), false);
	/* the header of a message within that was not begun: it has no lines */
	m->state = IN_BODY;
}
