/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/mime.h"
#include "lib/mail/qp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The first byte is the size of the pieces. The texts of all events are the input, whatever the
 * pieces; what becomes quoted-printable has short lines and nothing but ASCII.
 */
struct heard {
	struct str text, events;
};

static void on_field(void *arg, enum mime_class class_, struct slice field, bool cut)
{
	struct heard *h = arg;

	must(field.len > 0 && class_ <= MIME_NESTED);
	str_put(&h->text, field.data, field.len);
	str_printf(&h->events, "field %d %zu %d\n", class_, field.len, cut);
}

static void on_rest(void *arg, struct slice piece)
{
	struct heard *h = arg;

	str_put(&h->text, piece.data, piece.len);
}

static void on_end(void *arg, const struct mime_entity *entity, struct slice line, bool needed)
{
	struct heard *h = arg;

	must(line.len <= 2 && !(line.len && needed));
	str_put(&h->text, line.data, line.len);
	str_printf(&h->events, "end %d %d\n", entity->kind, entity->encoding);
}

static void on_body(void *arg, const struct mime_entity *entity, enum mime_line kind,
    struct slice line, bool start UNUSED, bool stop UNUSED)
{
	struct heard *h = arg;
	struct str out = {0};
	struct qp qp = {0};
	size_t column = 0;

	must(line.len > 0 && (kind == MIME_BODY) == (entity->kind != MIME_MULTIPART));
	str_put(&h->text, line.data, line.len);
	qp_put(&qp, &out, line.data, line.len);
	qp_end_line(&qp, &out, slice_of("", 0));
	for (size_t i = 0; i < out.len; i++) {
		must((unsigned char)out.data[i] < 127);
		column = out.data[i] == '\n' ? 0 : column + 1;
		must(column <= 77);
	}
	str_fini(&out);
}

static const struct mime_events events = {on_field, on_rest, on_end, on_body};

static void walk(const char *data, size_t len, size_t piece, struct heard *h)
{
	static const struct mime_limits limits = {1000, 70, 5};
	struct mime *m = mime_new(&limits, &events, h);

	for (size_t at = 0; at < len; at += piece)
		mime_put(m, data + at, MIN(piece, len - at));
	mime_end(m);
	mime_free(&m);
	must(h->text.len == len && memcmp(str_text(&h->text), data, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard one = {{0}, {0}}, other = {{0}, {0}};

	if (size < 1)
		return 0;
	walk((const char *)data + 1, size - 1, size, &one);
	walk((const char *)data + 1, size - 1, (size_t)data[0] + 1, &other);
	must(strcmp(str_text(&one.events), str_text(&other.events)) == 0);
	str_fini(&one.text);
	str_fini(&one.events);
	str_fini(&other.text);
	str_fini(&other.events);
	return 0;
}
