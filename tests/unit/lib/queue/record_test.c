/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/num.h"
#include "lib/queue/record.h"
#include "lib/queue/store.h"
#include "suite.h"

static const struct record_head sample = {
    .epoch = 0x01020304,
    .rcpt_count = 3,
    .content_len = 1000,
    .env_len = 200,
    .env_crc = 0xdeadbeef,
    .content_crc = 0xcafebabe,
    .flags = ENV_DOT_LINES,
    .queued_us = 1700000000123456,
    .id = "3F0ED1A2B3C",
    .state = RECORD_LIVE,
};

static void seal(unsigned char raw[RECORD_HEAD])
{
	le_put32(raw + 120, crc32c(0, raw, 120));
}

START_TEST(comes_back)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head h;

	record_head_encode(raw, &sample);
	ck_assert_mem_eq(raw, "PstR\x01\x00\x80\x00\x04\x03\x02\x01\x03\x00\x00\x00\xe8\x03", 18);
	ck_assert_int_eq(record_head_decode(raw, &h), RECORD_VALID);
	ck_assert_uint_eq(h.epoch, sample.epoch);
	ck_assert_uint_eq(h.rcpt_count, 3);
	ck_assert_uint_eq(h.content_len, 1000);
	ck_assert_uint_eq(h.env_len, 200);
	ck_assert_uint_eq(h.env_crc, 0xdeadbeef);
	ck_assert_uint_eq(h.content_crc, 0xcafebabe);
	ck_assert_uint_eq(h.queued_us, 1700000000123456);
	ck_assert_str_eq(h.id, sample.id);
	ck_assert_uint_eq(record_status_at(&h), 1128);
	ck_assert_uint_eq(record_env_at(&h), 1131);
	ck_assert_uint_eq(record_len(&h), 1331);
}
END_TEST

/* Every bit of the checksummed part counts; what lies between the checksum and the state does not.
 */
START_TEST(one_bit)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head h;

	for (int bit = 0; bit < 124 * 8; bit++) {
		record_head_encode(raw, &sample);
		raw[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_int_ne(record_head_decode(raw, &h), RECORD_VALID);
	}
}
END_TEST

START_TEST(states)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head h;

	for (int state = 0; state < 256; state++) {
		record_head_encode(raw, &sample);
		raw[RECORD_STATE_AT] = (unsigned char)state;
		ck_assert_int_eq(record_head_decode(raw, &h), RECORD_VALID);
		/* a damaged state never makes mail vanish */
		ck_assert_int_eq(
		    h.state, state == RECORD_DONE || state == RECORD_MOVED ? state : RECORD_LIVE);
	}
}
END_TEST

static const struct {
	size_t at;
	int width;
	uint64_t value;
	enum record_check want;
} lies[] = {
    {4, 2, 2, RECORD_NEWER},
    {4, 2, 0, RECORD_NEWER},
    {6, 2, 64, RECORD_BROKEN},
    {12, 4, ENVELOPE_RCPTS_MAX + 1, RECORD_BROKEN},
    {16, 8, ((uint64_t)1 << 48) + 1, RECORD_BROKEN},
    {16, 8, UINT64_MAX, RECORD_BROKEN},
    {24, 4, ENVELOPE_MAX + 1, RECORD_BROKEN},
    {24, 4, UINT32_MAX, RECORD_BROKEN},
    {48, 4, 0x2f2e2e2f /* "/../" */, RECORD_BROKEN},
    {48, 8, 0, RECORD_BROKEN},
};

/* Right checksum, impossible contents: by a bug, or by somebody who writes queue files. */
START_TEST(sealed_lies)
{
	unsigned char raw[RECORD_HEAD];
	struct record_head h;

	record_head_encode(raw, &sample);
	if (lies[_i].width == 2)
		le_put16(raw + lies[_i].at, (uint16_t)lies[_i].value);
	else if (lies[_i].width == 4)
		le_put32(raw + lies[_i].at, (uint32_t)lies[_i].value);
	else
		le_put64(raw + lies[_i].at, lies[_i].value);
	seal(raw);
	ck_assert_int_eq(record_head_decode(raw, &h), lies[_i].want);
}
END_TEST

START_TEST(foreign)
{
	unsigned char raw[RECORD_HEAD] = "%!PS-Adobe";
	struct record_head h;

	ck_assert_int_eq(record_head_decode(raw, &h), RECORD_FOREIGN);
	memset(raw, 0, sizeof(raw));
	ck_assert_int_eq(record_head_decode(raw, &h), RECORD_FOREIGN);
}
END_TEST

TCase *record_tcase(void)
{
	TCase *tc = tcase_create("record");

	tcase_add_test(tc, comes_back);
	tcase_add_test(tc, one_bit);
	tcase_add_test(tc, states);
	tcase_add_loop_test(tc, sealed_lies, 0, sizeof(lies) / sizeof(lies[0]));
	tcase_add_test(tc, foreign);
	return tc;
}
