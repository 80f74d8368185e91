/* SPDX-License-Identifier: ISC */
#include "fixture.h"
#include "suite.h"

static const struct {
	const char *text;
	int result, min, max;
	unsigned excluded;
} protocols[] = {
    {"", 0, 0, 0, 0},
    {"!SSLv2", 0, 0, 0, 0},
    {"!SSLv2, !SSLv3", 0, 0, 0, TLS_PROTO_SSLV3},
    {"!SSLv2:!SSLv3:!TLSv1", 0, 0, 0, TLS_PROTO_SSLV3 | TLS_PROTO_TLSV1},
    {"TLSv1.2 TLSv1.3", 0, 0, 0, TLS_PROTO_SSLV3 | TLS_PROTO_TLSV1 | TLS_PROTO_TLSV1_1},
    {"tlsv1.3", 0, 0, 0, TLS_PROTO_ALL & ~TLS_PROTO_TLSV1_3},
    {">=TLSv1", 0, 0x0301, 0, 0},
    {">=TLSv1.2, <=TLSv1.3", 0, 0x0303, 0x0304, 0},
    {">=0x0303", 0, 0x0303, 0, 0},
    {"<=0304", 0, 0, 0x0304, 0},
    {"!TLSv1.4", -1, 0, 0, 0},
    {"TLSv1.3 TLSv9", -1, 0, 0, 0},
    {">=", -1, 0, 0, 0},
    {">=0x9999", -1, 0, 0, 0},
    {">=TLSv1.3, <=TLSv1.2", -1, 0, 0, 0},
    {"!SSLv3 !TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3", -1, 0, 0, 0},
};

START_TEST(reads_protocols)
{
	struct tls_protocols p;
	struct err err;

	ck_assert_int_eq(tls_protocols_parse(protocols[_i].text, &p, &err), protocols[_i].result);
	if (protocols[_i].result == 0) {
		ck_assert_int_eq(p.min, protocols[_i].min);
		ck_assert_int_eq(p.max, protocols[_i].max);
		ck_assert_uint_eq(p.excluded, protocols[_i].excluded);
	}
}
END_TEST

static const struct {
	const char *grade, *exclude, *more, *list;
} ciphers[] = {
    {"medium", "", NULL, "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH"},
    {"HIGH", "", "", "aNULL:-aNULL:HIGH:@STRENGTH"},
    {"null", NULL, NULL, "eNULL:!aNULL"},
    {"high", "aNULL, DES", "RC4", "aNULL:-aNULL:HIGH:@STRENGTH:!aNULL:!DES:!RC4"},
    {"ultra", NULL, NULL, NULL},
    {"high", "!DES", NULL, NULL},
    {"high", "@SECLEVEL=0", NULL, NULL},
};

START_TEST(makes_cipher_lists)
{
	const char *const excludes[] = {ciphers[_i].exclude, ciphers[_i].more};
	struct str list = {0};
	struct err err;
	int rc = tls_cipher_list(&tls_common_defaults, ciphers[_i].grade, excludes, 2, &list, &err);

	ck_assert_int_eq(rc, ciphers[_i].list ? 0 : -1);
	if (ciphers[_i].list)
		ck_assert_str_eq(str_text(&list), ciphers[_i].list);
	str_fini(&list);
}
END_TEST

START_TEST(reads_options)
{
	uint64_t bits, more;
	struct err err;

	ck_assert_int_eq(tls_ssl_options_parse("NO_TICKET, no_renegotiation", &bits, &err), 0);
	ck_assert_int_eq(tls_ssl_options_parse("0x4000 NO_RENEGOTIATION", &more, &err), 0);
	ck_assert_uint_eq(bits, more);
	ck_assert_int_eq(tls_ssl_options_parse("NO_TICKETS", &bits, &err), -1);
	ck_assert_int_eq(tls_ssl_options_parse("0xyz", &bits, &err), -1);
	ck_assert_int_eq(tls_workarounds_parse("TLS_D5_BUG CVE-2010-4180", &bits, &err), 0);
	ck_assert_int_eq(tls_workarounds_parse("TLS_D6_BUG", &bits, &err), -1);
	ck_assert(tls_digest_known("sha256"));
	ck_assert(!tls_digest_known("sha257"));
}
END_TEST

TCase *settings_tcase(void)
{
	TCase *tcase = tcase_create("settings");

	tcase_add_loop_test(
	    tcase, reads_protocols, 0, (int)(sizeof(protocols) / sizeof(protocols[0])));
	tcase_add_loop_test(
	    tcase, makes_cipher_lists, 0, (int)(sizeof(ciphers) / sizeof(ciphers[0])));
	tcase_add_test(tcase, reads_options);
	return tcase;
}
