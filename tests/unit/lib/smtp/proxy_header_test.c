/* SPDX-License-Identifier: ISC */
#include "lib/smtp/proxy_header.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/smtp/suite.h"

#define BYTES(text) text, sizeof(text) - 1
#define SIGN "\r\n\r\n\0\r\nQUIT\n"
#define IPS6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"

static const struct {
	const char *bytes;
	size_t len;
	enum proxy_result result;
	const char *client, *server; /* "addr port"; NULL: local */
	size_t used;                 /* 0: all */
} cases[] = {
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n"), PROXY_HEADER_OK, "192.0.2.1 1234",
        "198.51.100.2 25", 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\nEHLO x\r\n"), PROXY_HEADER_OK,
        "192.0.2.1 1234", "198.51.100.2 25", 43},
    {BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n"), PROXY_HEADER_OK, "2001:db8::1 65535",
        "2001:db8::2 0", 0},
    {BYTES("PROXY UNKNOWN\r\n"), PROXY_HEADER_OK, NULL, NULL, 0},
    {BYTES("PROXY UNKNOWN what ever\r\n"), PROXY_HEADER_OK, NULL, NULL, 0},
    {BYTES(""), PROXY_HEADER_MORE, NULL, NULL, 0},
    {BYTES("PROX"), PROXY_HEADER_MORE, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r"), PROXY_HEADER_MORE, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("proxy TCP4 192.0.2.1 198.51.100.2 1234 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1234 65536\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 12 25 x\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1  198.51.100.2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2 198.51.100.2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 2001:db8::1 2001:db8::2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP6 192.0.2.1 198.51.100.2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY TCP4 192.0.2.1\0x 198.51.100.2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("PROXY UDP4 192.0.2.1 198.51.100.2 12 25\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("EHLO x\r\n"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES("\r\n"), PROXY_HEADER_MORE, NULL, NULL, 0},
    {BYTES(SIGN "\x20\0\0\0"), PROXY_HEADER_OK, NULL, NULL, 0},
    {BYTES(SIGN "\x21\0\0\0"), PROXY_HEADER_OK, NULL, NULL, 0},
    {BYTES(SIGN "\x20\x11\0\3abcEHLO"), PROXY_HEADER_OK, NULL, NULL, 19},
    {BYTES(SIGN "\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\x09\x04\xd2\0\x19"), PROXY_HEADER_OK,
        "192.0.2.7 1234", "192.0.2.9 25", 0},
    {BYTES(SIGN "\x21\x11\0\x0f\xc0\0\2\7\xc0\0\2\x09\x04\xd2\0\x19\4\0\0NOOP"), PROXY_HEADER_OK,
        "192.0.2.7 1234", "192.0.2.9 25", 31},
    {BYTES(SIGN "\x21\x21\0\x24" IPS6 "\x04\xd2\0\x19"), PROXY_HEADER_OK, "2001:db8::1 1234",
        "2001:db8::2 25", 0},
    {BYTES(SIGN "\x21\x21\0\x23" IPS6 "\x04\xd2\0"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x21\x11\0\x0b\xc0\0\2\7\xc0\0\2\x09\x04\xd2\0"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x21\x11\0\x0c\xc0\0\2\7"), PROXY_HEADER_MORE, NULL, NULL, 0},
    {BYTES(SIGN "\x21\x11\xff\xff"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x11\x11\0\x0c"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x22\x11\0\x0c"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x21\x31\0\xd8"), PROXY_HEADER_BAD, NULL, NULL, 0},
    {BYTES(SIGN "\x21\x12\0\x0c"), PROXY_HEADER_BAD, NULL, NULL, 0},
};

static void check_address(const struct net_addr *addr, const char *wanted)
{
	char text[80];
	size_t len;

	net_addr_text(addr, text, 64);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, " %u", net_addr_port(addr));
	ck_assert_str_eq(text, wanted);
}

START_TEST(parses)
{
	struct slice data = slice_of(cases[_i].bytes, cases[_i].len);
	struct proxy_header h;
	const char *why;

	ck_assert_int_eq(proxy_header_parse(data, &h, &why), cases[_i].result);
	ck_assert(cases[_i].result != PROXY_HEADER_BAD || why[0]);
	if (cases[_i].result != PROXY_HEADER_OK)
		return;
	ck_assert_int_eq(h.local, !cases[_i].client);
	ck_assert_uint_eq(h.used, cases[_i].used ? cases[_i].used : cases[_i].len);
	if (h.local)
		return;
	check_address(&h.client, cases[_i].client);
	check_address(&h.server, cases[_i].server);
}
END_TEST

/* A good header that has not come whole yet is never called bad, nor taken for complete. */
START_TEST(in_pieces)
{
	struct proxy_header h;
	const char *why;

	if (cases[_i].result != PROXY_HEADER_OK)
		return;
	for (size_t n = 0; n < (cases[_i].used ? cases[_i].used : cases[_i].len); n++)
		ck_assert_int_eq(
		    proxy_header_parse(slice_of(cases[_i].bytes, n), &h, &why), PROXY_HEADER_MORE);
}
END_TEST

/* A line that never ends is bad in the end. */
START_TEST(endless)
{
	char text[300] = "PROXY TCP4 ";
	struct proxy_header h;
	const char *why;

	memset(text + 11, '1', sizeof(text) - 11);
	ck_assert_int_eq(proxy_header_parse(slice_of(text, 107), &h, &why), PROXY_HEADER_BAD);
	ck_assert_int_eq(proxy_header_parse(slice_of(text, 106), &h, &why), PROXY_HEADER_MORE);
}
END_TEST

TCase *proxy_header_tcase(void)
{
	TCase *tcase = tcase_create("proxy_header");

	tcase_add_loop_test(tcase, parses, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tcase, in_pieces, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, endless);
	return tcase;
}
