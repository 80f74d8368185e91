/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_RECORD_H
#define LIB_QUEUE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * The fixed head of a record, the same in a lane and in a file (doc/queue.md):
 *
 *   head (128 bytes) | content | one status byte per recipient | envelope
 *
 * All integers little-endian. The head has a checksum of its own; content and envelope have
 * theirs; the bytes at RECORD_REPORTED_AT, RECORD_WARNED_AT and RECORD_STATE_AT and the status
 * bytes, which change in place, are in none. Pure codec.
 */
enum {
	RECORD_HEAD = 128,
	RECORD_REPORTED_AT = 125,
	RECORD_WARNED_AT = 126,
	RECORD_STATE_AT = 127,
	RECORD_ID_MAX = 40,
	RECORD_VERSION = 1
};

struct record_head {
	uint32_t epoch; /* of the lane when written; 0 in files */
	uint32_t rcpt_count;
	uint64_t content_len;
	uint32_t env_len;
	uint32_t env_crc, content_crc;
	uint32_t flags; /* ENV_*, with what the writer saw in the content */
	uint64_t queued_us;
	char id[RECORD_ID_MAX + 1];
	bool warned;   /* the sender was told of a delay */
	bool reported; /* the sender has the report of the first attempt (sendmail -v) */
	uint8_t state; /* enum record_state */
};

void record_head_encode(unsigned char out[RECORD_HEAD], const struct record_head *head);

enum record_check {
	RECORD_VALID,
	RECORD_FOREIGN, /* no record: the magic is not there */
	RECORD_NEWER,   /* a version that this program does not know */
	RECORD_BROKEN,  /* a record whose head is damaged */
};
enum record_check record_head_decode(const unsigned char in[RECORD_HEAD], struct record_head *out);

static inline uint64_t record_status_at(const struct record_head *head)
{
	return RECORD_HEAD + head->content_len;
}
static inline uint64_t record_env_at(const struct record_head *head)
{
	return record_status_at(head) + head->rcpt_count;
}
/* Length of the whole record. The decoder has bounded the parts, so that it cannot overflow. */
static inline uint64_t record_len(const struct record_head *head)
{
	return record_env_at(head) + head->env_len;
}

#endif
