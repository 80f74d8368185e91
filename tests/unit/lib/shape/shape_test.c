/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"
#include "tests/unit/lib/shape/fixture.h"
#include "tests/unit/lib/shape/suite.h"

#define TRACE "Received: by mx.example.com\r\n\tid X\r\n"

enum { REMOTE, LOCAL };

/*
 * `out` is what stands in the queue behind the trace header. In it MID is the Message-ID that was
 * made, DATE the date.
 */
static const struct {
	int origin;
	const char *conf, *sender, *in, *out;
	const char *message_id; /* MID: the made one */
} cases[] = {
    /* remote mail passes byte for byte but for line ends and what is dropped */
    {REMOTE, "", "a@b.c", "Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n", ""},
    {REMOTE, "", "a@b.c", "Subject: x\n\nbody\n", "Subject: x\r\n\r\nbody\r\n", ""},
    {REMOTE, "", "a@b.c", "Subject: x\n\nbody", "Subject: x\r\n\r\nbody\r\n", ""},
    {REMOTE, "", "a@b.c", "Subject: x\r\n\r\na\rb\r\n\r", "Subject: x\r\n\r\na b\r\n \r\n", ""},
    {REMOTE, "", "a@b.c", "Subject: x\r\n\r\na\r\r\nb\n\n\r\n",
        "Subject: x\r\n\r\na \r\nb\r\n\r\n\r\n", ""},
    {REMOTE, "", "a@b.c", "X: a\rb\r\r\n c\r\nZ: \r.\r\r\n\r\r\n\r.\r\r\n\n\r\r",
        "X: a b \r\n c\r\nZ:  . \r\n\r\n \r\n . \r\n\r\n  \r\n", ""},
    {REMOTE, "", "a@b.c", "one\r\r\ntwo", "\r\none \r\ntwo\r\n", ""},
    {REMOTE, "", "a@b.c", "From x\ry\r\nX: y\r\n\r\n", "X-Mailbox-Line: From x y\r\nX: y\r\n\r\n",
        ""},
    {REMOTE, "cleanup_replace_stray_cr_lf = no\n", "a@b.c", "X: a\rb\r\n\r\na\rb\r\r\nb\n\n\r\n\r",
        "X: a\rb\r\n\r\na\rb\r\r\nb\r\n\r\n\r\n\r\r\n", ""},
    {REMOTE, "", "a@b.c", "Subject : x\r\nX-Fold:\r\n a\r\n\tb\r\n\r\n.x\r\n",
        "Subject: x\r\nX-Fold:\r\n a\r\n\tb\r\n\r\n.x\r\n", ""},
    {REMOTE, "", "a@b.c", "To: joe, x@host\r\nFrom: jim\r\n\r\nb\r\n",
        "To: joe, x@host\r\nFrom: jim\r\n\r\nb\r\n", ""},
    {REMOTE, "", "a@b.c",
        "Bcc: x\r\n y\r\nReturn-Path: <a>\r\nContent-Length: 3\r\nX: y\r\n\r\nb\r\n",
        "X: y\r\n\r\nb\r\n", ""},
    {REMOTE, "message_drop_headers = x-a\n", "a@b.c", "Bcc: x\r\nX-A: 1\r\nX: y\r\n\r\n",
        "Bcc: x\r\nX: y\r\n\r\n", ""},
    {REMOTE, "", "a@b.c", "Message-ID:  <1@x> \r\n\r\n", "Message-ID:  <1@x> \r\n\r\n", "<1@x>"},
    {REMOTE, "", "a@b.c", "message-id:\r\n <1@x>\r\nMessage-ID: <2@x>\r\n\r\n",
        "message-id:\r\n <1@x>\r\nMessage-ID: <2@x>\r\n\r\n", "<1@x>"},
    /* where the headers end */
    {REMOTE, "", "a@b.c", "", "", ""},
    {REMOTE, "", "a@b.c", "\r\n", "\r\n", ""},
    {REMOTE, "", "a@b.c", "X: y\r\n", "X: y\r\n", ""},
    {REMOTE, "", "a@b.c", "X: y", "X: y\r\n", ""},
    {REMOTE, "", "a@b.c", "just text\r\nX: y\r\n", "\r\njust text\r\nX: y\r\n", ""},
    {REMOTE, "", "a@b.c", "just text", "\r\njust text\r\n", ""},
    {REMOTE, "", "a@b.c", "X: y\r\nnot a header\r\nZ: z\r\n\r\nb\r\n",
        "X: y\r\n\r\nnot a header\r\nZ: z\r\n\r\nb\r\n", ""},
    {REMOTE, "", "a@b.c", " fold first\r\nX: y\r\n", "\r\n fold first\r\nX: y\r\n", ""},
    {REMOTE, "", "a@b.c", "X: y\r\n \r\n\t\r\nZ: z\r\n\r\n", "X: y\r\n \r\n\t\r\nZ: z\r\n\r\n", ""},
    {REMOTE, "", "a@b.c", "\r\n\r\nX: y\r\n", "\r\n\r\nX: y\r\n", ""},
    {REMOTE, "", "a@b.c", "From x Mon\r\n>From y Tue\r\nX: y\r\n\r\nb\r\n",
        "X-Mailbox-Line: From x Mon\r\nX-Mailbox-Line: >From y Tue\r\nX: y\r\n\r\nb\r\n", ""},
    {REMOTE, "", "a@b.c", "X: y\r\nFrom x Mon\r\nb\r\n", "X: y\r\n\r\nFrom x Mon\r\nb\r\n", ""},
    /* limits and characters */
    {REMOTE, "header_size_limit = 10\n", "a@b.c", "X: 89012345\r\n y\r\nZ: z\r\n\r\nb\r\n",
        "X: 8901234\r\nZ: z\r\n\r\nb\r\n", ""},
    {REMOTE, "header_size_limit = 10\n", "a@b.c", "X: 1\r\n 789012\r\n y\r\nZ: z\r\n\r\nb\r\n",
        "X: 1\r\n 789\r\nZ: z\r\n\r\nb\r\n", ""},
    /* a name beyond the limit is no header: nothing of it is lost */
    {REMOTE, "header_size_limit = 10\n", "a@b.c", "X-1234567890123: 1\r\n a\r\nZ: z\r\n\r\nb\r\n",
        "\r\nX-1234567890123: 1\r\n a\r\nZ: z\r\n\r\nb\r\n", ""},
    {REMOTE, "header_size_limit = 10\n", "a@b.c", "not a header but long text\r\nX: y\r\n",
        "\r\nnot a header but long text\r\nX: y\r\n", ""},
    {REMOTE, "header_size_limit = 10\n", "a@b.c", "X: y\r\n not a header but folded\r\nb c\r\n",
        "X: y\r\n not\r\n\r\nb c\r\n", ""},
    {REMOTE, "message_strip_characters = \\0z\n", "a@b.c", "X: yzy\r\n\r\nbzzb\r\n",
        "X: yy\r\n\r\nbb\r\n", ""},
    /* local mail: what is missing is added */
    {LOCAL, "", "a@b.c", "Subject: x\n\nb\n",
        "Subject: x\r\nMessage-Id: MID\r\nDate: DATE\r\nFrom: Joe Doe <a@b.c>\r\n\r\nb\r\n", "MID"},
    {LOCAL, "", "a@b.c", "text\n",
        "Message-Id: MID\r\nDate: DATE\r\nFrom: Joe Doe <a@b.c>\r\n\r\ntext\r\n", "MID"},
    {LOCAL, "", "a@b.c", "", "Message-Id: MID\r\nDate: DATE\r\nFrom: Joe Doe <a@b.c>\r\n", "MID"},
    {LOCAL, "", "", "X: y\n\n",
        "X: y\r\nMessage-Id: MID\r\nDate: DATE\r\nFrom: MAILER-DAEMON\r\n\r\n", "MID"},
    {LOCAL, "", "a b@c.d", "Date: d\nMessage-ID: <1@x>\n\n",
        "Date: d\r\nMessage-ID: <1@x>\r\nFrom: Joe Doe <\"a b\"@c.d>\r\n\r\n", "<1@x>"},
    {LOCAL, "header_from_format = obsolete\n", "a@b.c", "Date: d\nMessage-ID: <1@x>\n\n",
        "Date: d\r\nMessage-ID: <1@x>\r\nFrom: a@b.c (Joe Doe)\r\n\r\n", "<1@x>"},
    {LOCAL, "undisclosed_recipients_header = To: undisclosed-recipients:;\n", "a@b.c",
        "Date: d\nMessage-ID: <1@x>\nFrom: f@x.y\n\n",
        "Date: d\r\nMessage-ID: <1@x>\r\nFrom: f@x.y\r\nTo: undisclosed-recipients:;\r\n\r\n",
        "<1@x>"},
    {LOCAL, "undisclosed_recipients_header = To: undisclosed-recipients:;\n", "a@b.c",
        "Date: d\nMessage-ID: <1@x>\nFrom: f@x.y\nCc: c@x.y\n\n",
        "Date: d\r\nMessage-ID: <1@x>\r\nFrom: f@x.y\r\nCc: c@x.y\r\n\r\n", "<1@x>"},
    {LOCAL, "", "a@b.c", "Resent-To: x@y.z\nFrom: f@x.y\n\n",
        "Resent-To: x@y.z\r\nFrom: f@x.y\r\nResent-Message-Id: MID\r\nResent-Date: DATE\r\n"
        "Resent-From: Joe Doe <a@b.c>\r\n\r\n",
        ""},
    {LOCAL, "", "a@b.c", "Message-ID:\nFrom: f@x.y\nDate: d\n\n",
        "Message-ID:\r\nFrom: f@x.y\r\nDate: d\r\n\r\n", ""},
    {REMOTE, "always_add_missing_headers = yes\n", "a@b.c", "To: joe\nDate: d\n\n",
        "To: joe\r\nDate: d\r\nMessage-Id: MID\r\nFrom: Joe Doe <a@b.c>\r\n\r\n", "MID"},
    /* ... and addresses are completed, nothing else is touched */
    {LOCAL, "", "a@b.c",
        "From: jim\nTo:  foo,\n  bar@baz.q , \"x y\"@h.i (c),\n\tGroup: a, <b>, C D <c@d>;\n"
        "Message-ID: <1@x>\nDate: d\nSubject: foo, <b>\n\n",
        "From: jim@mx.example.com\r\nTo:  foo@mx.example.com,\r\n  bar@baz.q , \"x y\"@h.i (c),\r\n"
        "\tGroup: a@mx.example.com, <b@mx.example.com>, C D <c@d.example.com>;\r\n"
        "Message-ID: <1@x>\r\nDate: d\r\nSubject: foo, <b>\r\n\r\n",
        "<1@x>"},
    {LOCAL, "", "a@b.c",
        "From: x!y (c)\nCc: \"a b\" , <>, z@[1.2.3.4], u%v.w\nReply-To: broken <a, b\n"
        "Message-ID: <1@x>\nDate: d\n\n",
        "From: y@x.example.com (c)\r\nCc: \"a b\"@mx.example.com , <>, z@[1.2.3.4], u@v.w\r\n"
        "Reply-To: broken <a, b\r\nMessage-ID: <1@x>\r\nDate: d\r\n\r\n",
        "<1@x>"},
};

/* Puts MID and DATE in the place of what was made. */
static void normalise(const struct fixture *f, struct str *out)
{
	const char *p = str_text(&f->content), *end = p + f->content.len;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *next = lf ? lf + 1 : end;
		struct slice line = slice_trim(slice_of(p, (size_t)(next - p)));
		bool is_date = memmem(line.data, line.len, "Date: ", 6) != NULL;

		if (is_date && line.data[line.len - 1] == ')')
			str_printf(out, "%sDate: DATE\r\n", line.data[0] == 'R' ? "Resent-" : "");
		else if (memmem(line.data, line.len, f->id, strlen(f->id)))
			str_printf(
			    out, "%sMessage-Id: MID\r\n", line.data[0] == 'R' ? "Resent-" : "");
		else
			str_put(out, p, (size_t)(next - p));
		p = next;
	}
}

static void check_case(struct fixture *f, int i, size_t piece)
{
	struct str got = {0}, want = {0};
	enum shape_result result =
	    fixture_shape(f, cases[i].sender, TRACE, cases[i].in, strlen(cases[i].in), piece);

	ck_assert_int_eq(result, SHAPE_OK);
	normalise(f, &got);
	str_printf(&want, "%s%s", TRACE, cases[i].out);
	ck_assert_msg(strcmp(str_text(&got), str_text(&want)) == 0,
	    "case %d in pieces of %zu\ngot:\n%s\nwant:\n%s", i, piece, str_text(&got),
	    str_text(&want));
	if (strcmp(cases[i].message_id, "MID") == 0)
		ck_assert_ptr_nonnull(strstr(f->env.message_id, f->id));
	else
		ck_assert_str_eq(f->env.message_id, cases[i].message_id);
	ck_assert_uint_eq(f->env.hops, 1);
	str_fini(&got);
	str_fini(&want);
}

START_TEST(shaping)
{
	struct fixture f;

	fixture_init(&f, cases[_i].conf);
	f.ctx.add_missing_headers = f.ctx.rewrite_headers = cases[_i].origin == LOCAL;
	f.ctx.full_name = "Joe Doe";
	check_case(&f, _i, 100000);
	check_case(&f, _i, 1);
	check_case(&f, _i, 7);
	fixture_fini(&f);
}
END_TEST

static const struct {
	const char *name, *from;
} names[] = {
    {"", "From: a@b.c"},
    {"root", "From: root <a@b.c>"},
    {"J\xc3\xb6 X", "From: J\xc3\xb6 X <a@b.c>"},
    {"Doe, Joe", "From: \"Doe, Joe\" <a@b.c>"},
    {"Joe \"x\" Doe", "From: \"Joe \\\"x\\\" Doe\" <a@b.c>"},
    {"back\\slash", "From: \"back\\\\slash\" <a@b.c>"},
    {"two\nlines\r", "From: \"two lines \" <a@b.c>"},
};

START_TEST(full_names)
{
	struct fixture f;

	fixture_init(&f, "");
	f.ctx.add_missing_headers = true;
	f.ctx.full_name = names[_i].name;
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", "\n", 1, 1), SHAPE_OK);
	ck_assert_ptr_nonnull(strstr(str_text(&f.content), names[_i].from));
	fixture_fini(&f);
}
END_TEST

static const struct {
	const char *conf, *in, *sender;
	int origin;
	bool required;
} utf8s[] = {
    {"", "Subject: \xc3\xbc\n\nx\n", "a@b.c", SHAPE_BY_SENDMAIL, true},
    {"", "Subject: x\n\n\xc3\xbc\n", "a@b.c", SHAPE_BY_SENDMAIL, false},
    {"", "Subject: x\n\nx\n", "\xc3\xbc@b.c", SHAPE_BY_SENDMAIL, true},
    {"", "Subject: \xc3\xbc\n\nx\n", "a@b.c", SHAPE_BY_SMTPD, false},
    {"smtputf8_autodetect_classes = all\n", "Subject: \xc3\xbc\n\nx\n", "a@b.c", SHAPE_BY_SMTPD,
        true},
    {"smtputf8_enable = no\n", "Subject: \xc3\xbc\n\nx\n", "a@b.c", SHAPE_BY_SENDMAIL, false},
    {"", "Bcc: \xc3\xbc@x\n\nx\n", "a@b.c", SHAPE_BY_SENDMAIL, false},
};

START_TEST(finds_out_smtputf8)
{
	struct fixture f;

	fixture_init(&f, utf8s[_i].conf);
	f.ctx.origin = utf8s[_i].origin;
	ck_assert_int_eq(
	    fixture_shape(&f, utf8s[_i].sender, "", utf8s[_i].in, strlen(utf8s[_i].in), 7),
	    SHAPE_OK);
	ck_assert_int_eq((f.env.flags & ENV_SMTPUTF8) != 0, utf8s[_i].required);
	fixture_fini(&f);
}
END_TEST

START_TEST(nul_bytes)
{
	static const char in[] = "X: a\0b\r\n c\0d\r\nY: z\r\n\r\nb\0c\r\n";
	static const char out[] = "X: a\r\n c\r\nY: z\r\n\r\nb\0c\r\n";
	struct fixture f;

	fixture_init(&f, "");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in, sizeof(in) - 1, 3), SHAPE_OK);
	ck_assert_uint_eq(f.content.len, sizeof(out) - 1);
	ck_assert_mem_eq(f.content.data, out, sizeof(out) - 1);
	fixture_fini(&f);
}
END_TEST

static const struct {
	int headers;
	enum shape_result result;
} hops[] = {{0, SHAPE_OK}, {48, SHAPE_OK}, {49, SHAPE_TOO_MANY_HOPS}, {200, SHAPE_TOO_MANY_HOPS}};

START_TEST(hop_count)
{
	struct fixture f;
	struct str in = {0};
	int i;

	fixture_init(&f, "");
	for (i = 0; i < hops[_i].headers; i++)
		str_put_text(&in, "Received: x\r\n\tby y\r\n");
	str_put_text(&in, "\r\nReceived: in the body\r\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", TRACE, in.data, in.len, 1000), hops[_i].result);
	if (hops[_i].result == SHAPE_OK)
		ck_assert_int_eq(f.env.hops, hops[_i].headers + 1);
	str_fini(&in);
	fixture_fini(&f);
}
END_TEST

START_TEST(size_limit)
{
	struct fixture f;
	char in[300];

	memset(in, 'x', sizeof(in));
	memcpy(in, "X: y\r\n\r\n", 8);
	memcpy(in + sizeof(in) - 2, "\r\n", 2);
	fixture_init(&f, "message_size_limit = 300\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in, 300, 10), SHAPE_OK);
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "T:\r\n", in, 300, 10), SHAPE_TOO_BIG);
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "T:\r\n", in, 300, 300), SHAPE_TOO_BIG);
	f.core.message_size_limit = 0;
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "T:\r\n", in, 300, 300), SHAPE_OK);
	fixture_fini(&f);
}
END_TEST

START_TEST(rejected_characters)
{
	struct fixture f;

	fixture_init(&f, "message_reject_characters = \\0\\x\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", "A: b\r\n\r\nc\r\n", 11, 5), SHAPE_OK);
	ck_assert_int_eq(
	    fixture_shape(&f, "a@b.c", "", "A: b\r\n\r\n\0\r\n", 11, 5), SHAPE_CONTENT);
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", "A: x\r\n\r\nc\r\n", 11, 5), SHAPE_CONTENT);
	ck_assert_ptr_nonnull(strstr(f.err.text, "disallowed character"));
	fixture_fini(&f);
}
END_TEST

START_TEST(big)
{
	struct fixture f;
	struct str in = {0};
	int i;

	fixture_init(&f, "");
	str_put_text(&in, "X-Long: ");
	for (i = 0; i < 30000; i++)
		str_put_text(&in, "0123456789");
	str_put_text(&in, "\r\nY: z\r\n\r\n");
	for (i = 0; i < 50000; i++)
		str_put_text(&in, "0123456789 0123456789 0123456789\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in.data, in.len, 4096), SHAPE_OK);
	/* 102,400 bytes of the long header, then the rest with 50,000 CRs more */
	ck_assert_uint_eq(f.content.len, 102400 + 2 + 6 + 2 + 50000 * 34);
	str_fini(&in);
	fixture_fini(&f);
}
END_TEST

/* No next hop can take anything in it for a line end that is none. */
static void check_line_ends(const struct str *content)
{
	for (size_t i = 0; i < content->len; i++) {
		if (content->data[i] == '\r')
			ck_assert(i + 1 < content->len && content->data[i + 1] == '\n');
		if (content->data[i] == '\n')
			ck_assert(i > 0 && content->data[i - 1] == '\r');
	}
}

/* However the bytes come in, the same message results. */
START_TEST(random_pieces)
{
	static const char *const words[] = {"\r", "\n", "\r\n", "\r\n", "\r\n\r\n", "A: b",
	    "To: joe", "Bcc: x", " fold", "From x", ">From y", ".", "text", ":", "Message-ID: <1>",
	    "a@b, c", "\r", "\r.\r", "\r\r\n"};
	struct fixture f;
	struct str in = {0}, whole = {0};
	unsigned seed = 1;
	int round, n;

	fixture_init(&f, "header_size_limit = 12\n");
	f.ctx.rewrite_headers = true;
	for (round = 0; round < 150; round++) {
		str_clear(&in);
		for (n = rand_r(&seed) % 20; n > 0; n--)
			str_put_text(&in, words[(unsigned)rand_r(&seed) % ARRAY_LEN(words)]);
		ck_assert_int_eq(
		    fixture_shape(&f, "a@b.c", "", str_text(&in), in.len, 100000), SHAPE_OK);
		check_line_ends(&f.content);
		str_clear(&whole);
		str_put(&whole, str_text(&f.content), f.content.len);
		ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", str_text(&in), in.len,
		                     1 + (size_t)rand_r(&seed) % 4),
		    SHAPE_OK);
		ck_assert_msg(whole.len == f.content.len &&
		                  memcmp(str_text(&whole), str_text(&f.content), whole.len) == 0,
		    "in:\n%s\nwhole:\n%s\npieces:\n%s", str_text(&in), str_text(&whole),
		    str_text(&f.content));
	}
	str_fini(&in);
	str_fini(&whole);
	fixture_fini(&f);
}
END_TEST

/* Who writes a thousand of them does not fill our log. */
START_TEST(message_ids)
{
	struct fixture f;
	struct str in = {0}, log = {0};
	int fd, lines = 0;

	fixture_init(&f, "");
	fd = open("log", O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	log_open(LOG_TO_FD, fd, 0);
	for (int i = 0; i < 1000; i++)
		str_put_text(&in, "Message-ID: <1@x>\r\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in.data, in.len, 4096), SHAPE_OK);
	ck_assert_int_eq(fd_read_file("log", 1 << 20, &log, NULL), 0);
	for (const char *p = str_text(&log); (p = strstr(p, "message-id=<1@x>")); p++)
		lines++;
	ck_assert_int_eq(lines, 10);
	str_fini(&in);
	str_fini(&log);
	close(fd);
	unlink("log");
	fixture_fini(&f);
}
END_TEST

/* A full disk, played by a limit on file sizes. */
START_TEST(no_space)
{
	struct rlimit all, none;
	struct fixture f;
	struct str in = {0};
	int i;

	fixture_init(&f, "");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
	none = all;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", "X: y\r\n\r\n", 8, 8), SHAPE_NO_SPACE);
	for (i = 0; i < 100000; i++)
		str_put_text(&in, "0123456789 0123456789\r\n");
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in.data, in.len, 4096), SHAPE_NO_SPACE);
	ck_assert_str_ne(f.err.text, "");
	setrlimit(RLIMIT_FSIZE, &all);
	ck_assert_int_eq(fixture_shape(&f, "a@b.c", "", in.data, in.len, 4096), SHAPE_OK);
	str_fini(&in);
	fixture_fini(&f);
}
END_TEST

/* A disconnect in the middle: nothing is left behind. */
START_TEST(abort_leaves_nothing)
{
	struct fixture f;
	struct shaper *s;

	fixture_init(&f, "");
	s = shape_begin(&f.ctx, "ABC123", "a@b.c", TRACE);
	shape_put(s, "X: y\r\n\r\nb", 9);
	shape_abort(&s);
	ck_assert_ptr_null(s);
	shape_abort(&s);
	ck_assert_int_eq(rmdir("incoming"), 0);
	fixture_fini(&f);
}
END_TEST

TCase *shape_tcase(void)
{
	TCase *tc = tcase_create("shape");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, shaping, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, full_names, 0, ARRAY_LEN(names));
	tcase_add_loop_test(tc, finds_out_smtputf8, 0, (int)ARRAY_LEN(utf8s));
	tcase_add_test(tc, nul_bytes);
	tcase_add_loop_test(tc, hop_count, 0, ARRAY_LEN(hops));
	tcase_add_test(tc, size_limit);
	tcase_add_test(tc, rejected_characters);
	tcase_add_test(tc, big);
	tcase_add_test(tc, random_pieces);
	tcase_add_test(tc, message_ids);
	tcase_add_test(tc, no_space);
	tcase_add_test(tc, abort_leaves_nothing);
	return tc;
}
