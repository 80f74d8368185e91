/* SPDX-License-Identifier: ISC */
#include "commands/postmap/message.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "tests/unit/commands/postmap/suite.h"

#define MIME                                                                                    \
	"A: b\nContent-Type: multipart/mixed;\n boundary=\"x y\"\n\npre\n--x y\nP: q\n\nbody\n" \
	"--x y\nContent-Type: message/rfc822\n\nI: j\n\ninner\n--x y--\nend"

/* Keys, one behind the other with '|' behind each, as postmap of Postfix 3.7 asks them. */
static const struct message_case {
	const char *flags, *text, *keys;
} cases[] = {
    {"h", "A: b\nC: d\n e\n\nbody", "A: b|C: d\n e|"},
    {"b", "A: b\nC: d\n e\n\nbody\n\nmore", "body|more|"},
    {"hb", "A: b\n\nbody", "A: b|body|"},
    {"h", "A: b\nno header\nC: d", "A: b|"},
    {"b", "A: b\nno header\nC: d", "no header|C: d|"},
    {"h", "A : b\n: c", "A : b|"},
    {"h", "", ""},
    {"b", "", ""},
    {"h", "A: b", "A: b|"},
    {"h", " x\nA: b", ""},
    {"h", MIME, "A: b|Content-Type: multipart/mixed;\n boundary=\"x y\"|"},
    {"hm", MIME,
        "A: b|Content-Type: multipart/mixed;\n boundary=\"x y\"|P: q|"
        "Content-Type: message/rfc822|I: j|"},
    {"bm", MIME, "pre|--x y|body|--x y|inner|--x y--|end|"},
};

static void note(void *arg, const char *key)
{
	str_put_text(arg, key);
	str_put_char(arg, '|');
}

START_TEST(keys)
{
	const struct message_case *c = &cases[_i];
	struct str got = {0};
	struct message message = {.headers = strchr(c->flags, 'h') != NULL,
	    .body = strchr(c->flags, 'b') != NULL,
	    .mime = strchr(c->flags, 'm') != NULL,
	    .key = note,
	    .arg = &got};
	char *text = alloc_strdup(c->text), *rest = *text ? text : NULL, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		message_line(&message, line);
	message_end(&message);
	ck_assert_str_eq(str_text(&got), c->keys);
	str_fini(&got);
	free(text);
}
END_TEST

TCase *message_tcase(void)
{
	TCase *tcase = tcase_create("message");

	tcase_add_loop_test(tcase, keys, 0, ARRAY_LEN(cases));
	return tcase;
}
