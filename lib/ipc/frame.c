/* SPDX-License-Identifier: ISC */
/* The codec: tables over plain structs to bytes and back. See frame.h for the layout. */
#include "lib/ipc/frame.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"

enum { FIELD_HEADER = 6, DEPTH_MAX = 4, TAGS_MAX = 64 };

static const void *member(const void *value, const struct frame_field *f)
{
	return (const char *)value + f->offset;
}

static void put_field_header(struct str *out, uint16_t tag, size_t len)
{
	unsigned char head[FIELD_HEADER];

	le_put16(head, tag);
	le_put32(head + 2, (uint32_t)len);
	str_put(out, head, sizeof(head));
}

static void encode_fields(struct str *out, const struct frame_table *table, const void *value);

static void encode_list(struct str *out, const struct frame_field *f, const struct frame_list *list)
{
	size_t start = out->len;

	put_field_header(out, f->tag, 0);
	for (size_t i = 0; i < list->count; i++) {
		size_t item = out->len;

		str_put(out, "\0\0\0\0", 4);
		encode_fields(out, f->item, (const char *)list->items + i * f->item->size);
		le_put32(out->data + item, (uint32_t)(out->len - item - 4));
	}
	le_put32(out->data + start + 2, (uint32_t)(out->len - start - FIELD_HEADER));
}

static void encode_struct(struct str *out, const struct frame_field *f, const void *at)
{
	size_t start = out->len;

	put_field_header(out, f->tag, 0);
	encode_fields(out, f->item, at);
	le_put32(out->data + start + 2, (uint32_t)(out->len - start - FIELD_HEADER));
}

static void encode_field(struct str *out, const struct frame_field *f, const void *at)
{
	unsigned char number[8];
	const char *text;

	switch (f->kind) {
	case FRAME_U32:
		put_field_header(out, f->tag, 4);
		le_put32(number, *(const uint32_t *)at);
		str_put(out, number, 4);
		break;
	case FRAME_U64:
		put_field_header(out, f->tag, 8);
		le_put64(number, *(const uint64_t *)at);
		str_put(out, number, 8);
		break;
	case FRAME_TEXT:
		text = *(const char *const *)at;
		if (!text || !*text)
			break; /* absent reads as "" */
		put_field_header(out, f->tag, strlen(text));
		str_put_text(out, text);
		break;
	case FRAME_STRUCT:
		encode_struct(out, f, at);
		break;
	case FRAME_LIST:
		encode_list(out, f, at);
		break;
	}
}

static void encode_fields(struct str *out, const struct frame_table *table, const void *value)
{
	for (size_t i = 0; i < table->count; i++)
		encode_field(out, &table->fields[i], member(value, &table->fields[i]));
}

void frame_encode(
    struct str *out, uint16_t type, uint32_t id, const struct frame_table *table, const void *value)
{
	size_t start = out->len;
	unsigned char head[FRAME_HEADER] = {0};

	le_put16(head + 4, type);
	le_put32(head + 8, id);
	str_put(out, head, sizeof(head));
	if (table)
		encode_fields(out, table, value);
	le_put32(out->data + start, (uint32_t)(out->len - start - 4));
}

int frame_peek(const void *data, size_t len, struct frame *frame_out, struct err *err)
{
	const unsigned char *p = data;
	uint32_t size;

	if (len < 4)
		return 0;
	size = le_get32(p);
	if (size < FRAME_HEADER - 4 || size > FRAME_MAX)
		return err_set(err, 0, "not a frame: length %u", size);
	if (len < (size_t)size + 4)
		return 0;
	*frame_out = (struct frame){
	    .type = le_get16(p + 4),
	    .id = le_get32(p + 8),
	    .body = (const char *)p + FRAME_HEADER,
	    .body_len = size + 4 - FRAME_HEADER,
	    .size = (size_t)size + 4,
	};
	return 1;
}

static int decode_fields(const char *p, size_t len, const struct frame_table *table, void *value,
    struct arena *arena, int depth, struct err *err);

static int decode_text(const char *p, size_t len, const struct frame_field *f, const char **out,
    struct arena *arena, struct err *err)
{
	if (len > f->max)
		return err_set(err, 0, "%s: %zu bytes, at most %zu", f->name, len, f->max);
	if (memchr(p, '\0', len))
		return err_set(err, 0, "%s: zero byte in text", f->name);
	*out = arena_strndup(arena, p, len);
	return 0;
}

static int decode_list(const char *p, size_t len, const struct frame_field *f,
    struct frame_list *out, struct arena *arena, int depth, struct err *err)
{
	size_t count = 0, at;

	for (at = 0; at < len; at += 4 + le_get32(p + at), count++) {
		if (len - at < 4 || le_get32(p + at) > len - at - 4)
			return err_set(err, 0, "%s: item is cut off", f->name);
	}
	if (count > f->max)
		return err_set(err, 0, "%s: %zu items, at most %zu", f->name, count, f->max);
	out->count = count;
	out->items = arena_zero(arena, count, f->item->size);
	at = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t size = le_get32(p + at);

		if (decode_fields(p + at + 4, size, f->item, (char *)out->items + i * f->item->size,
		        arena, depth + 1, err) < 0)
			return -1;
		at += 4 + (size_t)size;
	}
	return 0;
}

static int decode_field(const char *p, size_t len, const struct frame_field *f, void *at,
    struct arena *arena, int depth, struct err *err)
{
	switch (f->kind) {
	case FRAME_U32:
		if (len != 4)
			break;
		*(uint32_t *)at = le_get32(p);
		return 0;
	case FRAME_U64:
		if (len != 8)
			break;
		*(uint64_t *)at = le_get64(p);
		return 0;
	case FRAME_TEXT:
		return decode_text(p, len, f, at, arena, err);
	case FRAME_STRUCT:
		return decode_fields(p, len, f->item, at, arena, depth + 1, err);
	case FRAME_LIST:
		return decode_list(p, len, f, at, arena, depth, err);
	}
	return err_set(err, 0, "%s: %zu bytes are no number", f->name, len);
}

/* Tags come in table order from our own encoder, so the search begins behind the last hit. */
static size_t find_tag(const struct frame_table *table, uint16_t tag, size_t from)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t k = (from + i) % table->count;

		if (table->fields[k].tag == tag)
			return k;
	}
	return table->count;
}

static int decode_fields(const char *p, size_t len, const struct frame_table *table, void *value,
    struct arena *arena, int depth, struct err *err)
{
	uint64_t seen = 0;
	size_t from = 0;

	must(table->count <= TAGS_MAX);
	if (depth > DEPTH_MAX)
		return err_set(err, 0, "%s: nested too deep", table->name);
	for (size_t i = 0; i < table->count; i++) {
		if (table->fields[i].kind == FRAME_TEXT)
			*(const char **)(void *)((char *)value + table->fields[i].offset) = "";
	}
	while (len > 0) {
		uint32_t size;
		size_t k;

		if (len < FIELD_HEADER || (size = le_get32(p + 2)) > len - FIELD_HEADER)
			return err_set(err, 0, "%s: field is cut off", table->name);
		k = find_tag(table, le_get16(p), from);
		if (k < table->count) {
			const struct frame_field *f = &table->fields[k];

			if (seen & (uint64_t)1 << k)
				return err_set(err, 0, "%s: %s given twice", table->name, f->name);
			seen |= (uint64_t)1 << k;
			from = k + 1;
			if (decode_field(p + FIELD_HEADER, size, f, (char *)value + f->offset,
			        arena, depth, err) < 0)
				return err_prefix(err, "%s: ", table->name);
		}
		p += FIELD_HEADER + size;
		len -= FIELD_HEADER + (size_t)size;
	}
	for (size_t i = 0; i < table->count; i++) {
		if (table->fields[i].required && !(seen & (uint64_t)1 << i))
			return err_set(
			    err, 0, "%s: %s is missing", table->name, table->fields[i].name);
	}
	return 0;
}

int frame_decode(const struct frame *frame, const struct frame_table *table, void *value,
    struct arena *arena, struct err *err)
{
	memset(value, 0, table->size);
	return decode_fields(frame->body, frame->body_len, table, value, arena, 0, err);
}

void frame_print(struct str *out, const struct frame_table *table, const void *value)
{
	str_printf(out, "%s{", table->name);
	for (size_t i = 0; i < table->count; i++) {
		const struct frame_field *f = &table->fields[i];
		const void *at = member(value, f);
		const struct frame_list *list = at;

		str_printf(out, "%s%s=", i ? " " : "", f->name);
		switch (f->kind) {
		case FRAME_U32:
			str_printf(out, "%u", *(const uint32_t *)at);
			break;
		case FRAME_U64:
			str_printf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
			break;
		case FRAME_TEXT:
			str_printf(
			    out, "%s", *(const char *const *)at ? *(const char *const *)at : "");
			break;
		case FRAME_STRUCT:
			frame_print(out, f->item, at);
			break;
		case FRAME_LIST:
			for (size_t n = 0; n < list->count && n < 10; n++)
				frame_print(
				    out, f->item, (const char *)list->items + n * f->item->size);
			break;
		}
	}
	str_put_char(out, '}');
}
