/* SPDX-License-Identifier: ISC */
#include "lib/mail/mime.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/lib/mail/suite.h"

/* What is told, a line each: class and field; "end KIND ENCODING"; kind and text of a line. */
struct trace {
	struct str text, input;
};

static void put_text(struct str *out, const char *what, struct slice text)
{
	str_put_text(out, what);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n')
			str_put_char(out, '|');
		else if (text.data[i] != '\r')
			str_put_char(out, text.data[i]);
	str_put_char(out, '\n');
}

static void on_field(void *arg, enum mime_class class_, struct slice field, bool cut)
{
	static const char *const names[] = {"primary ", "part ", "nested "};
	struct trace *t = arg;

	put_text(&t->text, names[class_], field);
	if (cut)
		put_text(&t->text, "cut", slice_of("", 0));
	str_put(&t->input, field.data, field.len);
}

static void on_rest(void *arg, struct slice piece)
{
	struct trace *t = arg;

	put_text(&t->text, "rest ", piece);
	str_put(&t->input, piece.data, piece.len);
}

static void on_end(void *arg, const struct mime_entity *entity, struct slice line, bool needed)
{
	static const char *const kinds[] = {"text", "multipart", "message", "other"};
	static const char *const encodings[] = {"7bit", "8bit", "binary", "encoded"};
	struct trace *t = arg;

	str_printf(&t->text, "end %s %s%s%s\n", kinds[entity->kind], encodings[entity->encoding],
	    entity->fixed ? " fixed" : "",
	    line.len ? ""
	    : needed ? " missing"
	             : " none");
	str_put(&t->input, line.data, line.len);
}

static void on_body(void *arg, const struct mime_entity *entity, enum mime_line kind,
    struct slice line, bool start, bool stop)
{
	static const char *const names[] = {"body ", "between ", "boundary "};
	struct trace *t = arg;

	ck_assert((kind == MIME_BODY) == (entity->kind != MIME_MULTIPART));
	if (!start)
		str_put_text(&t->text, "+");
	put_text(&t->text, names[kind], line);
	if (!stop)
		str_put_text(&t->text, "...\n");
	str_put(&t->input, line.data, line.len);
}

static const struct mime_events events = {on_field, on_rest, on_end, on_body};

static const struct {
	const char *message, *trace;
} cases[] = {
    {"Subject: a\r\n b\r\nTo: c\r\n\r\nbody\r\n\r\nmore",
        "primary Subject: a| b|\nprimary To: c|\nend text 7bit\nbody body|\nbody |\nbody more\n"},
    {"", "end text 7bit none\n"},
    {"\n", "end text 7bit\n"},
    {"Subject: a\n", "primary Subject: a|\nend text 7bit none\n"},
    {"Subject: a\nnot a field\nx\n",
        "primary Subject: a|\nend text 7bit missing\nbody not a field|\nbody x|\n"},
    {" folded first\n", "end text 7bit missing\nbody  folded first|\n"},
    {"Content-Transfer-Encoding: 8BIT (as it is)\n\nx\n",
        "primary Content-Transfer-Encoding: 8BIT (as it is)|\nend text 8bit\nbody x|\n"},
    {"content-type: image/png\ncontent-transfer-encoding: Base64\n\nx\n",
        "primary content-type: image/png|\nprimary content-transfer-encoding: Base64|\n"
        "end other encoded\nbody x|\n"},
    {"Content-Type: multipart/mixed; boundary=\"a b\"\n\npre\n--a b\nContent-Type: text/plain\n\n"
     "one\n--a b \n\ntwo\n--a bc\n--a b--\npost\n--a b\n",
        "primary Content-Type: multipart/mixed; boundary=\"a b\"|\nend multipart 7bit\n"
        "between pre|\nboundary --a b|\npart Content-Type: text/plain|\nend text 7bit\nbody one|\n"
        "boundary --a b |\nend text 7bit\nbody two|\nbody --a bc|\nboundary --a b--|\n"
        "between post|\nbetween --a b|\n"},
    /* the boundary of what contains it ends all within */
    {"Content-Type: multipart/mixed;\n\tboundary=out\n\n--out\nContent-Type: "
     "multipart/alternative; "
     "boundary=in\n\n--in\n\none\n--out\n\ntwo\n--out--\n",
        "primary Content-Type: multipart/mixed;|\tboundary=out|\nend multipart 7bit\n"
        "boundary --out|\npart Content-Type: multipart/alternative; boundary=in|\n"
        "end multipart 7bit\nboundary --in|\nend text 7bit\nbody one|\nboundary --out|\n"
        "end text 7bit\nbody two|\nboundary --out--|\n"},
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
     "Subject: in\n\ntext\n--b\nContent-Type: text/plain\n--b--\n",
        "primary Content-Type: multipart/mixed; boundary=b|\nend multipart 7bit\nboundary --b|\n"
        "part Content-Type: message/rfc822|\nend message 7bit\nnested Subject: in|\n"
        "end text 7bit\nbody text|\nboundary --b|\npart Content-Type: text/plain|\n"
        "end text 7bit none\nboundary --b--|\n"},
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\n\ntext\n--b--\n",
        "primary Content-Type: multipart/digest; boundary=b|\nend multipart 7bit\nboundary --b|\n"
        "end message 7bit\nnested Subject: in|\nend text 7bit\nbody text|\nboundary --b--|\n"},
    {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nSubject: in\n",
        "primary Content-Type: message/rfc822|\nprimary Content-Transfer-Encoding: base64|\n"
        "end other encoded\nbody Subject: in|\n"},
    {"Content-Type: message/partial; id=x\nContent-Transfer-Encoding: 8bit\n\nx\n",
        "primary Content-Type: message/partial; id=x|\n"
        "primary Content-Transfer-Encoding: 8bit|\nend other 8bit fixed\nbody x|\n"},
    {"Content-Type: multipart/mixed\n\n--x\n",
        "primary Content-Type: multipart/mixed|\nend other 7bit\nbody --x|\n"},
    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n--b--",
        "primary Content-Type: multipart/mixed; boundary=b|\nend multipart 7bit\nboundary --b|\n"
        "part X: y|\nend text 7bit none\nboundary --b--\n"},
    /* limits: a field of 60 bytes, three levels */
    {"X: 0123456789\n 0123456789\n 0123456789\n 0123456789\n 0123456789\n 01234\n more\nY: z\n\n",
        "primary X: 0123456789| 0123456789| 0123456789| 0123456789| 0123456789|\ncut\n"
        "rest  01234|\nrest  more|\nprimary Y: z|\nend text 7bit\n"},
    {"Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n"
     "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nX: y\n",
        "primary Content-Type: message/rfc822|\nend message 7bit\n"
        "nested Content-Type: message/rfc822|\nend message 7bit\n"
        "nested Content-Type: message/rfc822|\nend message 7bit\n"
        "nested Content-Type: message/rfc822|\nend other 7bit\nbody X: y|\n"},
};

static void walk(const char *message, size_t piece, struct trace *t)
{
	static const struct mime_limits limits = {60, 10, 3};
	struct mime *m = mime_new(&limits, &events, t);
	size_t len = strlen(message);

	for (size_t at = 0; at < len; at += piece)
		mime_put(m, message + at, MIN(piece, len - at));
	mime_end(m);
	mime_free(&m);
	ck_assert_str_eq(str_text(&t->input), message);
}

START_TEST(walks)
{
	for (size_t piece = 1; piece < 200; piece += 33) {
		struct trace t = {{0}, {0}};

		walk(cases[_i].message, piece, &t);
		ck_assert_str_eq(str_text(&t.text), cases[_i].trace);
		str_fini(&t.text);
		str_fini(&t.input);
	}
}
END_TEST

/* Lines beyond the limit come in pieces; what looks like a boundary within one is none. */
START_TEST(long_lines)
{
	size_t len = 2 * MIME_LINE_MAX + 10;
	char *message = calloc(1, len + 10);

	memcpy(message, "\n", 1);
	memset(message + 1, 'x', len);
	strcpy(message + 1 + len, "\ny\n");
	for (size_t piece = 1000; piece <= 3 * MIME_LINE_MAX; piece *= 7) {
		struct trace t = {{0}, {0}};
		const char *second;

		walk(message, piece, &t);
		second = strstr(str_text(&t.text), "...\n+body x");
		ck_assert(second && strstr(second + 1, "...\n+body xxxxxxxxxx|\nbody y|\n"));
		str_fini(&t.text);
		str_fini(&t.input);
	}
	free(message);
}
END_TEST

static const struct {
	const char *value;
	bool good;
	const char *type, *subtype, *boundary;
} types[] = {
    {"text/plain", true, "text", "plain", ""},
    {" (a) text (b) / (c) plain ; x=y", true, "text", "plain", ""},
    {"multipart/mixed; charset=x; Boundary = \"a\\\"b\r\n c\"; boundary=d", true, "multipart",
        "mixed", "a\"b c"},
    {"multipart/mixed; boundary==_x=?/y;", true, "multipart", "mixed", "=_x=?/y"},
    {"multipart/mixed;;boundary=x (comment)", true, "multipart", "mixed", "x"},
    {"multipart/mixed; boundary=\"open", true, "multipart", "mixed", ""},
    {"text", false, NULL, NULL, NULL},
    {"text/", false, NULL, NULL, NULL},
    {"/plain", false, NULL, NULL, NULL},
    {"", false, NULL, NULL, NULL},
    {"(open", false, NULL, NULL, NULL},
};

START_TEST(content_types)
{
	struct slice type, subtype;
	struct str boundary = {0};
	bool good = mime_parse_type(slice_text(types[_i].value), &type, &subtype, &boundary);

	ck_assert_int_eq(good, types[_i].good);
	if (good) {
		ck_assert(slice_eq(type, types[_i].type) && slice_eq(subtype, types[_i].subtype));
		ck_assert_str_eq(str_text(&boundary), types[_i].boundary);
	}
	str_fini(&boundary);
}
END_TEST

START_TEST(fields)
{
	ck_assert(mime_is_field(slice_text("content-TYPE")));
	ck_assert(mime_is_field(slice_text("MIME-Version")));
	ck_assert(!mime_is_field(slice_text("Content-Length")));
}
END_TEST

TCase *mime_tcase(void)
{
	TCase *tc = tcase_create("mime");

	tcase_add_loop_test(tc, walks, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, long_lines);
	tcase_add_loop_test(tc, content_types, 0, ARRAY_LEN(types));
	tcase_add_test(tc, fields);
	return tc;
}
