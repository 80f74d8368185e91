/* SPDX-License-Identifier: ISC */
#include "lib/peer/scheduler.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/peer/note.h"
#include "lib/sys/net.h"

enum { TEXT_MAX = 4096, RATES_MAX = 8 };

/* a field a line where there are many */
/* clang-format off */
#define TABLE(name, fields, st) {name, fields, ARRAY_LEN(fields), sizeof(st)}

#define U32(tag, m) FRAME_FIELD_U32(tag, struct scheduler_total, m)
static const struct frame_field total_fields[] = {U32(1, messages), U32(2, message_limit),
    U32(3, recipients), U32(4, recipient_limit), U32(5, waiting_outside)};
const struct frame_table scheduler_total_table =
    TABLE("scheduler_total", total_fields, struct scheduler_total);
#undef U32

#define U64(tag, m) FRAME_FIELD_U64(tag, struct scheduler_rate, m)
static const struct frame_field rate_fields[] = {
    FRAME_FIELD_TEXT(1, struct scheduler_rate, name, TEXT_MAX), U64(2, count), U64(3, period_ms),
    U64(4, burst), U64(5, tokens_milli), U64(6, opens_ms)};
static const struct frame_table rate_table =
    TABLE("scheduler_rate", rate_fields, struct scheduler_rate);
#undef U64

#define U32(tag, m) FRAME_FIELD_U32(tag, struct scheduler_transport, m)
#define U64(tag, m) FRAME_FIELD_U64(tag, struct scheduler_transport, m)
static const struct frame_field transport_fields[] = {
    FRAME_FIELD_TEXT(1, struct scheduler_transport, name, TEXT_MAX),
    U32(2, busy),
    U32(3, agents),
    U32(4, agent_limit),
    U32(5, unreachable),
    U64(6, opens_ms),
    U64(7, destinations),
    FRAME_FIELD_LIST(8, struct scheduler_transport, rates, RATES_MAX, &rate_table)};
const struct frame_table scheduler_transport_table =
    TABLE("scheduler_transport", transport_fields, struct scheduler_transport);
#undef U32
#undef U64

#define U32(tag, m) FRAME_FIELD_U32(tag, struct scheduler_dest, m)
#define U64(tag, m) FRAME_FIELD_U64(tag, struct scheduler_dest, m)
#define TEXT(tag, m) FRAME_FIELD_TEXT(tag, struct scheduler_dest, m, TEXT_MAX)
static const struct frame_field dest_fields[] = {
    TEXT(1, transport),
    TEXT(2, nexthop),
    TEXT(3, host),
    U32(4, busy),
    U32(5, window),
    U32(6, window_limit),
    U64(7, deliveries),
    U64(8, messages),
    U64(9, recipients),
    U64(10, rest_ms),
    TEXT(11, rest_reason),
    U64(12, pause_ms),
    TEXT(13, pause_reason),
    U64(14, opens_ms),
    FRAME_FIELD_LIST(15, struct scheduler_dest, rates, RATES_MAX, &rate_table)};
const struct frame_table scheduler_dest_table =
    TABLE("scheduler_dest", dest_fields, struct scheduler_dest);
/* clang-format on */

static const struct {
	uint16_t type;
	const struct frame_table *table;
} parts[] = {
    {SCHEDULER_TOTAL, &scheduler_total_table},
    {SCHEDULER_TRANSPORT, &scheduler_transport_table},
    {SCHEDULER_DEST, &scheduler_dest_table},
};

union part {
	struct scheduler_total total;
	struct scheduler_transport transport;
	struct scheduler_dest dest;
};

static int take(const struct frame *frame, void (*got)(uint16_t type, const void *value, void *arg),
    void *arg, struct err *err)
{
	struct arena arena = {0};
	union part part;
	int rc = -1;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].type != frame->type)
			continue;
		rc = frame_decode(frame, parts[i].table, &part, &arena, err);
		if (rc == 0)
			got(frame->type, &part, arg);
		arena_fini(&arena);
		return rc;
	}
	return err_set(err, 0, "unknown part %u in the answer", frame->type);
}

/* In between there may be words about the flow of mail. */
static int receive(
    int fd, int timeout_ms, void (*got)(uint16_t, const void *, void *), void *arg, struct err *err)
{
	struct str in = {0};
	struct frame frame;
	int rc;

	while ((rc = frame_recv(fd, &in, timeout_ms, &frame, NULL, err)) == 1 &&
	       frame.type != SCHEDULER_END) {
		bool flow = frame.type == NOTE_BEHIND || frame.type == NOTE_ROOM;

		if (!flow && (rc = take(&frame, got, arg, err)) < 0)
			break;
		str_consume(&in, frame.size);
	}
	str_fini(&in);
	if (rc == 0)
		return err_set(err, 0, "the answer breaks off");
	return rc < 0 ? -1 : 0;
}

int scheduler_ask(const char *socket, int timeout_ms,
    void (*got)(uint16_t type, const void *value, void *arg), void *arg, struct err *err)
{
	struct str ask = {0};
	int fd = net_connect_unix(socket, timeout_ms, err), rc;

	if (fd < 0)
		return -1;
	frame_encode(&ask, SCHEDULER_ASK, 0, NULL, NULL);
	rc = frame_send(fd, &ask, -1, timeout_ms, err);
	if (rc == 0)
		rc = receive(fd, timeout_ms, got, arg, err);
	str_fini(&ask);
	close(fd);
	return rc;
}
