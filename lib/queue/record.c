/* SPDX-License-Identifier: ISC */
#include "lib/queue/record.h"

#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/num.h"
#include "lib/queue/envelope.h"
#include "lib/queue/store.h"

/* Byte offsets in the head. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_SIZE = 6,
	AT_EPOCH = 8,
	AT_RCPTS = 12,
	AT_CONTENT_LEN = 16,
	AT_ENV_LEN = 24,
	AT_ENV_CRC = 28,
	AT_CONTENT_CRC = 32,
	AT_FLAGS = 36,
	AT_QUEUED = 40,
	AT_ID = 48,
	AT_HEAD_CRC = 120,
};

static const char magic[4] = {'P', 's', 't', 'R'};

void record_head_encode(unsigned char out[RECORD_HEAD], const struct record_head *head)
{
	memset(out, 0, RECORD_HEAD);
	memcpy(out + AT_MAGIC, magic, sizeof(magic));
	le_put16(out + AT_VERSION, RECORD_VERSION);
	le_put16(out + AT_SIZE, RECORD_HEAD);
	le_put32(out + AT_EPOCH, head->epoch);
	le_put32(out + AT_RCPTS, head->rcpt_count);
	le_put64(out + AT_CONTENT_LEN, head->content_len);
	le_put32(out + AT_ENV_LEN, head->env_len);
	le_put32(out + AT_ENV_CRC, head->env_crc);
	le_put32(out + AT_CONTENT_CRC, head->content_crc);
	le_put32(out + AT_FLAGS, head->flags);
	le_put64(out + AT_QUEUED, head->queued_us);
	memcpy(out + AT_ID, head->id, strnlen(head->id, RECORD_ID_MAX));
	le_put32(out + AT_HEAD_CRC, crc32c(0, out, AT_HEAD_CRC));
	out[RECORD_REPORTED_AT] = head->reported ? RECORD_REPORTED : 0;
	out[RECORD_WARNED_AT] = head->warned ? RECORD_WARNED : 0;
	out[RECORD_STATE_AT] = head->state;
}

enum record_check record_head_decode(const unsigned char in[RECORD_HEAD], struct record_head *out)
{
	if (memcmp(in + AT_MAGIC, magic, sizeof(magic)) != 0)
		return RECORD_FOREIGN;
	if (le_get32(in + AT_HEAD_CRC) != crc32c(0, in, AT_HEAD_CRC))
		return RECORD_BROKEN;
	if (le_get16(in + AT_VERSION) != RECORD_VERSION)
		return RECORD_NEWER;
	*out = (struct record_head){
	    .epoch = le_get32(in + AT_EPOCH),
	    .rcpt_count = le_get32(in + AT_RCPTS),
	    .content_len = le_get64(in + AT_CONTENT_LEN),
	    .env_len = le_get32(in + AT_ENV_LEN),
	    .env_crc = le_get32(in + AT_ENV_CRC),
	    .content_crc = le_get32(in + AT_CONTENT_CRC),
	    .flags = le_get32(in + AT_FLAGS),
	    .queued_us = le_get64(in + AT_QUEUED),
	    .warned = in[RECORD_WARNED_AT] == RECORD_WARNED,
	    .reported = in[RECORD_REPORTED_AT] == RECORD_REPORTED,
	    .state = in[RECORD_STATE_AT],
	};
	/* in no checksum: a damaged state must not make mail vanish; its status bytes decide */
	if (out->state != RECORD_DONE && out->state != RECORD_MOVED)
		out->state = RECORD_LIVE;
	memcpy(out->id, in + AT_ID, RECORD_ID_MAX);
	if (le_get16(in + AT_SIZE) != RECORD_HEAD || out->rcpt_count > ENVELOPE_RCPTS_MAX ||
	    out->env_len > ENVELOPE_MAX || out->content_len > (uint64_t)1 << 48 ||
	    !queue_id_valid(out->id))
		return RECORD_BROKEN;
	return RECORD_VALID;
}
