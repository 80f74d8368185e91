/* SPDX-License-Identifier: ISC */
#include "lib/dns/dns.h"

#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/dns/suite.h"

#define HEAD(flags, answers) "\x12\x34" flags "\x00\x01" answers "\x00\x00\x00\x00"
#define Q_MX "\x01x\x04test\x00\x00\x0f\x00\x01"
#define Q_A "\x01x\x04test\x00\x00\x01\x00\x01"
#define OK "\x81\x80"
/* an answer owned by the question's name, type, class IN, TTL 60 */
#define RR(type, len) "\xc0\x0c\x00" type "\x00\x01\x00\x00\x00\x3c\x00" len

struct packet {
	const char *bytes;
	size_t len;
	enum dns_type type;
	enum dns_status status;
	size_t count;
	const char *target; /* of the first record */
	unsigned preference;
};
#define BYTES(b) b, sizeof(b) - 1

static const struct packet packets[] = {
    {BYTES(HEAD(OK, "\x00\x01") Q_MX RR("\x0f", "\x07") "\x00\x0a\x02mX\xc0\x0c"), DNS_TYPE_MX,
        DNS_FOUND, 1, "mx.x.test", 10},
    {BYTES(HEAD(OK, "\x00\x01") Q_MX RR("\x0f", "\x03") "\x00\x00\x00"), DNS_TYPE_MX, DNS_NULL_MX,
        0, NULL, 0},
    {BYTES(HEAD(OK, "\x00\x01") Q_A RR("\x01", "\x04") "\x7f\x00\x00\x01"), DNS_TYPE_A, DNS_FOUND,
        1, "", 0},
    /* an address of the wrong length */
    {BYTES(HEAD(OK, "\x00\x01") Q_A RR("\x01", "\x03") "\x7f\x00\x00"), DNS_TYPE_A, DNS_INVALID, 0,
        NULL, 0},
    /* CNAME that leads out of the message: ask there */
    {BYTES(HEAD(OK, "\x00\x01") Q_A RR("\x05", "\x04") "\x02zz\x00"), DNS_TYPE_A, DNS_NO_DATA, 0,
        NULL, 0},
    /* CNAME to itself */
    {BYTES(HEAD(OK, "\x00\x01") Q_A RR("\x05", "\x02") "\xc0\x0c"), DNS_TYPE_A, DNS_FAILED, 0, NULL,
        0},
    {BYTES(HEAD(OK, "\x00\x00") Q_A), DNS_TYPE_A, DNS_NO_DATA, 0, NULL, 0},
    {BYTES(HEAD("\x81\x83", "\x00\x00") Q_A), DNS_TYPE_A, DNS_NOT_FOUND, 0, NULL, 0},
    {BYTES(HEAD("\x81\x82", "\x00\x00") Q_A), DNS_TYPE_A, DNS_RETRY, 0, NULL, 0},
    {BYTES(HEAD("\x81\x85", "\x00\x00") Q_A), DNS_TYPE_A, DNS_FAILED, 0, NULL, 0},
    /* torn, empty, a pointer that points at itself, a count that lies */
    {BYTES(HEAD(OK, "\x00\x01") Q_A RR("\x01", "\x04") "\x7f"), DNS_TYPE_A, DNS_RETRY, 0, NULL, 0},
    {BYTES(""), DNS_TYPE_A, DNS_RETRY, 0, NULL, 0},
    {BYTES(HEAD(OK, "\x00\x01") "\xc0\x0c\x00\x01\x00\x01"), DNS_TYPE_A, DNS_RETRY, 0, NULL, 0},
    {BYTES(HEAD(OK, "\xff\xff") Q_A), DNS_TYPE_A, DNS_RETRY, 0, NULL, 0},
    /* names that are no host names: dropped; an address where a name belongs */
    {BYTES(HEAD(OK, "\x00\x01") Q_MX RR("\x0f", "\x07") "\x00\x0a\x03$(x\x00"), DNS_TYPE_MX,
        DNS_INVALID, 0, NULL, 0},
    {BYTES(HEAD(OK, "\x00\x01") Q_MX RR("\x0f", "\x0b") "\x00\x0a\x01"
                                                        "1\x01"
                                                        "2\x01"
                                                        "3\x01"
                                                        "4\x00"),
        DNS_TYPE_MX, DNS_INVALID, 0, NULL, 0},
};

START_TEST(decodes)
{
	const struct packet *p = &packets[_i];
	struct arena arena = {0};
	struct dns_answer answer;

	dns_decode(p->bytes, p->len, p->type, &arena, &answer);
	ck_assert_msg(
	    answer.status == p->status, "case %d: status %d, not %d", _i, answer.status, p->status);
	ck_assert_uint_eq(answer.count, p->count);
	if (p->count) {
		ck_assert_str_eq(answer.records[0].target, p->target);
		ck_assert_uint_eq(answer.records[0].preference, p->preference);
	}
	arena_fini(&arena);
}
END_TEST

/* Every prefix of a good answer is survived. */
START_TEST(decodes_torn)
{
	const struct packet *p = &packets[0];
	struct dns_answer answer;

	for (size_t len = 0; len < p->len; len++) {
		struct arena arena = {0};

		dns_decode(p->bytes, len, p->type, &arena, &answer);
		ck_assert_int_ne(answer.status, DNS_FOUND);
		arena_fini(&arena);
	}
}
END_TEST

static const struct {
	const char *name;
	bool valid, numeric;
} names[] = {
    {"example.com", true, false},
    {"a", true, false},
    {"x_y.example", true, false},
    {"127.0.0.1", true, true},
    {"", false, false},
    {".", false, true},
    {"a..b", false, false},
    {"a.", false, false},
    {".a", false, false},
    {"a b", false, false},
    {"a\xff", false, false},
    {"0123456789012345678901234567890123456789012345678901234567890123.x", false, false},
};

START_TEST(judges_names)
{
	ck_assert_int_eq(dns_name_valid(names[_i].name), names[_i].valid);
	ck_assert_int_eq(dns_name_is_numeric(names[_i].name), names[_i].numeric);
}
END_TEST

TCase *decode_tcase(void)
{
	TCase *tc = tcase_create("decode");

	tcase_add_loop_test(tc, decodes, 0, (int)ARRAY_LEN(packets));
	tcase_add_test(tc, decodes_torn);
	tcase_add_loop_test(tc, judges_names, 0, (int)ARRAY_LEN(names));
	return tc;
}
