/* SPDX-License-Identifier: ISC */
#include "smtp/rewrite.h"

#include <string.h>

#include "lib/base/attr.h"
#include "lib/shape/map.h"
#include "tests/unit/smtp/suite.h"

#define UU "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define QQ "=C3=BC=C3=BC=C3=BC=C3=BC=C3=BC"

static const struct smtp_content_params params = {
    .generic_maps = "inline:{ {me@here.test = mine+k@out.test}, {other@here.test = @d.test}, "
                    "{bare = bare@mapped.test}, {fail@here.test = <>} }",
    .propagate = PROPAGATE_GENERIC,
    .header_size_limit = 1000,
    .mime_boundary_length_limit = 70,
    .mime_nesting_limit = 10,
    .append_at_myorigin = true};
static const struct core_params core = {.myorigin = "here.test",
    .mydomain = "test",
    .mydestination = "localhost",
    .recipient_delimiter = "+"};
static const struct checks_tables tables = {
    .header = "regexp:{{/^gone:/ IGNORE}, {/^strip:/ STRIP why}, {/^old:/ REPLACE New: x}, "
              "{/^pre:/ PREPEND Before: x}, {/^warn:/ WARN}, {/^info:/ INFO well}, "
              "{/^rej:/ REJECT no}, {/^empty:/ REPLACE}, {/^dunno:/ DUNNO}, {/^fold: (.*)/ REPLACE "
              "New: $1}}",
    .mime = "regexp:{{/^x-part:/ IGNORE}, {/^content-description:/ IGNORE}}",
    .nested = "regexp:{{/^x-nested:/ IGNORE}}",
    .body = "regexp:{{/^drop/ IGNORE}, {/^change/ REPLACE other}, {/^add/ PREPEND first}}",
    .body_limit = 100,
    .header_name = "smtp_header_checks",
    .mime_name = "smtp_mime_header_checks",
    .nested_name = "smtp_nested_header_checks",
    .body_name = "smtp_body_checks"};

static const struct {
	const char *in, *out;
	unsigned what;
	bool generic, checks, fails;
} cases[] = {
    {"From: \"Me\" <me+x@here.test>, other@here.test\r\nSender: bare\r\nX: me@here.test\r\n\r\n"
     "To: me@here.test\r\n",
        "From: \"Me\" <mine+k+x@out.test>, other@d.test\r\nSender: bare@mapped.test\r\n"
        "X: me@here.test\r\n\r\nTo: me@here.test\r\n",
        REWRITE_HEADER, true, false, false},
    {"From: fail@here.test\r\n\r\n", "", REWRITE_HEADER, true, false, true},
    {"gone: x\r\n y\r\nstrip: x\r\nold: x\r\npre: x\r\nwarn: x\r\ninfo: x\r\nrej: x\r\n"
     "empty: x\r\ndunno: x\r\n\r\ngone: x\r\n",
        "New: x\r\nBefore: x\r\npre: x\r\nwarn: x\r\ninfo: x\r\nrej: x\r\nempty: x\r\n"
        "dunno: x\r\n\r\ngone: x\r\n",
        REWRITE_HEADER, false, true, false},
    /* each line of what a pattern has matched ends as lines do */
    {"fold: a\r\n b\r\n\r\nx\r\n", "New: a\r\n b\r\n\r\nx\r\n", REWRITE_HEADER, false, true, false},
    {"Content-Type: multipart/mixed; boundary=b\r\nContent-Description: x\r\n\r\ndrop\r\n--b\r\n"
     "X-Part: x\r\ngone: x\r\n\r\nchange\r\nadd\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
     "X-Nested: x\r\nX-Part: x\r\n\r\nkeep\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\ngone: x\r\n\r\nother\r\nfirst\r\n"
        "add\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nX-Part: x\r\n\r\nkeep\r\n--b--\r\n",
        REWRITE_HEADER | REWRITE_PARTS, false, true, false},
    /* as Postfix converts it */
    {"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
     "Content-Type: multipart/mixed; boundary=b\r\n\r\n\xc3\xbc\r\n--b\r\n"
     "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     "gr\xc3\xbc\xc3\x9f  \r\na=b\t\r\n.dot\r\n" UU "\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
     "un\xc3\xbc\r\n--b\r\nContent-Transfer-Encoding: binary\r\n"
     "Content-Type: application/octet-stream\r\n\r\nb\xc3\xbc\r\n--b\r\n"
     "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     "Subject: n\r\nContent-Transfer-Encoding: 8bit\r\nFrom: x\r\n\r\nn\xc3\xbc\r\n--b--\r\n",
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\n\xc3\xbc\r\n--b\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        "gr=C3=BC=C3=9F =20\r\na=3Db=09\r\n.dot\r\n" QQ "\r\n--b\r\n"
        "Content-Type: text/plain\r\n\r\nun\xc3\xbc\r\n--b\r\n"
        "Content-Type: application/octet-stream\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nb=C3=BC\r\n--b\r\n"
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        "Subject: n\r\nFrom: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "n=C3=BC\r\n--b--\r\n",
        REWRITE_TO_7BIT, false, false, false},
    {"Content-Type: message/partial; id=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc\r\n",
        "Content-Type: message/partial; id=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "\xc3\xbc\r\n",
        REWRITE_TO_7BIT, false, false, false},
    {"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\ngA==\r\n",
        "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain\r\n\r\ngA==\r\n",
        REWRITE_TO_7BIT, false, false, false},
    /* the header has no end: it gets one */
    {"Subject: x\r\nno field\r\n", "Subject: x\r\n\r\nno field\r\n", REWRITE_HEADER, true, false,
        false},
    {"Content-Transfer-Encoding: 8bit\r\n", "Content-Transfer-Encoding: quoted-printable\r\n",
        REWRITE_TO_7BIT, false, false, false},
};

START_TEST(rewrites)
{
	struct generic *generic = generic_open(&params, &core);
	struct checks *checks = checks_open(&tables);
	struct rewrite_plan plan = {.params = &params,
	    .generic = cases[_i].generic ? generic : NULL,
	    .checks = cases[_i].checks ? checks : NULL,
	    .id = "ID",
	    .what = cases[_i].what};
	size_t len = strlen(cases[_i].in);

	for (size_t piece = 1; piece <= len + 1; piece = piece * 3 + 1) {
		struct str out = {0};
		struct rewrite *r = rewrite_begin(&plan, &out);
		struct err err;
		int rc = 0;

		for (size_t at = 0; at < len && rc == 0; at += piece)
			rc = rewrite_put(r, cases[_i].in + at, MIN(piece, len - at), &err);
		rc |= rewrite_end(&r, &err);
		ck_assert_int_eq(rc, cases[_i].fails ? -1 : 0);
		if (!cases[_i].fails)
			ck_assert_str_eq(str_text(&out), cases[_i].out);
		ck_assert_ptr_null(r);
		str_fini(&out);
	}
	generic_close(&generic);
	checks_close(&checks);
}
END_TEST

START_TEST(maps_addresses)
{
	static const struct {
		const char *address, *mapped;
	} addresses[] = {{"", ""}, {"me@here.test", "mine+k@out.test"},
	    {"bare@here.test", "bare@mapped.test"}, {"bare@localhost", "bare@mapped.test"},
	    {"bare@else.test", "bare@else.test"}, {"x@here.test", "x@here.test"}};
	struct generic *generic = generic_open(&params, &core);
	struct arena arena = {0};
	const char *out;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		ck_assert_int_eq(generic_map(generic, addresses[i].address, &arena, &out, &err), 0);
		ck_assert_str_eq(out, addresses[i].mapped);
	}
	ck_assert_int_eq(generic_map(generic, "fail@here.test", &arena, &out, &err), -1);
	ck_assert_int_eq(generic_map(NULL, "me@here.test", &arena, &out, &err), 0);
	ck_assert_str_eq(out, "me@here.test");
	arena_fini(&arena);
	generic_close(&generic);
}
END_TEST

TCase *rewrite_tcase(void)
{
	TCase *tc = tcase_create("rewrite");

	tcase_add_loop_test(tc, rewrites, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, maps_addresses);
	return tc;
}
