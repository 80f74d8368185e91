/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/crc32c.h"
#include "suite.h"

/* RFC 3720 appendix B.4; there the bytes of the checksum are listed, lowest first. */
START_TEST(rfc3720)
{
	unsigned char data[48] = {0};

	ck_assert_uint_eq(crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, 32);
	ck_assert_uint_eq(crc32c(0, data, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		data[i] = (unsigned char)i;
	ck_assert_uint_eq(crc32c(0, data, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		data[i] = (unsigned char)(31 - i);
	ck_assert_uint_eq(crc32c(0, data, 32), 0x113fdb5c);
	memcpy(data,
	    "\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18"
	    "\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",
	    48);
	ck_assert_uint_eq(crc32c(0, data, 48), 0xd9963a56);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, "", 0), 0);
}
END_TEST

/* Bit by bit, as the polynomial says. */
static uint32_t slowly(const unsigned char *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	while (len-- > 0) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

START_TEST(any_length_any_pieces)
{
	unsigned char data[300];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 73 + i / 7);
	for (size_t at = 0; at < 9; at++) {
		for (size_t len = 0; len + at < sizeof(data); len += 3) {
			uint32_t want = slowly(data + at, len);
			size_t cut = len / 3;

			ck_assert_uint_eq(crc32c(0, data + at, len), want);
			ck_assert_uint_eq(
			    crc32c(crc32c(0, data + at, cut), data + at + cut, len - cut), want);
		}
	}
}
END_TEST

TCase *crc_tcase(void)
{
	TCase *tc = tcase_create("crc32c");

	tcase_add_test(tc, rfc3720);
	tcase_add_test(tc, any_length_any_pieces);
	return tc;
}
