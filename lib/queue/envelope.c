/* SPDX-License-Identifier: ISC */
/*
 * An encoded envelope is a frame of the table below, then one frame per recipient: the codec of
 * lib/ipc serves the disk as well, and recipients can be read one at a time.
 */
#include "lib/queue/envelope.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/ipc/frame.h"

enum { FRAME_ENVELOPE = 1, FRAME_RECIPIENT = 2 };

#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct envelope, m, ENVELOPE_TEXT_MAX)
static const struct frame_field envelope_fields[] = {
    TEXT(1, id),
    TEXT(2, sender),
    TEXT(3, sender_orig),
    FRAME_FIELD_U64(4, struct envelope, arrival_us),
    FRAME_FIELD_U64(5, struct envelope, queued_us),
    FRAME_FIELD_U32(6, struct envelope, flags),
    FRAME_FIELD_U32(7, struct envelope, generation),
    TEXT(8, client_name),
    TEXT(9, client_addr),
    TEXT(10, client_port),
    TEXT(11, helo),
    TEXT(12, protocol),
    TEXT(13, sasl_method),
    TEXT(14, sasl_username),
    TEXT(15, envid),
    TEXT(16, ret),
    TEXT(17, message_id),
    TEXT(18, filter),
    FRAME_FIELD_TEXT(19, struct envelope, attributes, 65536),
    FRAME_FIELD_U32(20, struct envelope, hops),
    FRAME_FIELD_U32(21, struct envelope, rcpt_count),
};
#undef TEXT
static const struct frame_table envelope_table = {
    "envelope", envelope_fields, ARRAY_LEN(envelope_fields), sizeof(struct envelope)};

#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct recipient, m, ENVELOPE_TEXT_MAX)
static const struct frame_field recipient_fields[] = {
    TEXT(1, address),
    TEXT(2, orig),
    TEXT(3, orcpt),
    TEXT(4, transport),
    TEXT(5, nexthop),
    FRAME_FIELD_U32(6, struct recipient, notify),
};
#undef TEXT
static const struct frame_table recipient_table = {
    "recipient", recipient_fields, ARRAY_LEN(recipient_fields), sizeof(struct recipient)};

void envelope_encode(struct str *out, const struct envelope *env)
{
	frame_encode(out, FRAME_ENVELOPE, 0, &envelope_table, env);
	for (uint32_t i = 0; i < env->rcpt_count; i++)
		frame_encode(out, FRAME_RECIPIENT, i, &recipient_table, &env->rcpts[i]);
}

static int expect_frame(
    const void *data, size_t len, uint16_t type, struct frame *frame, struct err *err)
{
	int found = frame_peek(data, len, frame, err);

	if (found < 0)
		return -1;
	if (found == 0 || frame->type != type)
		return err_set(err, 0, "envelope is cut off");
	return 0;
}

int envelope_decode(const void *data, size_t len, struct arena *arena, struct envelope *out,
    size_t *rcpts_at_out, struct err *err)
{
	struct frame frame;

	if (expect_frame(data, len, FRAME_ENVELOPE, &frame, err) < 0 ||
	    frame_decode(&frame, &envelope_table, out, arena, err) < 0)
		return -1;
	if (out->rcpt_count > ENVELOPE_RCPTS_MAX)
		return err_set(err, 0, "envelope: %u recipients are too many", out->rcpt_count);
	*rcpts_at_out = frame.size;
	return 0;
}

int envelope_next_rcpt(const void *data, size_t len, size_t *at, struct arena *arena,
    struct recipient *out, struct err *err)
{
	struct frame frame;

	if (*at >= len)
		return 0;
	if (expect_frame((const char *)data + *at, len - *at, FRAME_RECIPIENT, &frame, err) < 0 ||
	    frame_decode(&frame, &recipient_table, out, arena, err) < 0)
		return -1;
	*at += frame.size;
	return 1;
}

struct slice envelope_attribute(const struct envelope *env, const char *name)
{
	const char *at = env->attributes ? env->attributes : "";
	size_t len = strlen(name);

	while (*at) {
		size_t line = strcspn(at, "\n");

		if (line > len && at[len] == '=' && memcmp(at, name, len) == 0)
			return slice_of(at + len + 1, line - len - 1);
		at += line + (at[line] == '\n');
	}
	return slice_of("", 0);
}
