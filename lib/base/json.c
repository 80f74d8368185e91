/* SPDX-License-Identifier: ISC */
#include "lib/base/json.h"

#include <string.h>

static const char short_escapes[] = {['"'] = '"',
    ['\\'] = '\\',
    ['\b'] = 'b',
    ['\t'] = 't',
    ['\n'] = 'n',
    ['\f'] = 'f',
    ['\r'] = 'r'};

static void put_special(struct str *out, unsigned char c)
{
	if (c < sizeof(short_escapes) && short_escapes[c]) {
		str_put_char(out, '\\');
		str_put_char(out, short_escapes[c]);
	} else {
		str_printf(out, "\\u%04X", c);
	}
}

static size_t plain_len(const char *text)
{
	size_t len = 0;

	while ((unsigned char)text[len] >= ' ' && (unsigned char)text[len] < 127 &&
	       text[len] != '"' && text[len] != '\\')
		len++;
	return len;
}

void json_put_text(struct str *out, const char *text)
{
	str_put_char(out, '"');
	while (*text) {
		size_t len = plain_len(text);

		if (len > 0) {
			str_put(out, text, len);
		} else if ((unsigned char)*text < 128) {
			put_special(out, (unsigned char)*text);
			len = 1;
		} else if ((len = text_utf8_len(slice_text(text))) > 0) {
			str_put(out, text, len);
		} else {
			str_put_text(out, "\\uFFFD");
			len = 1;
		}
		text += len;
	}
	str_put_char(out, '"');
}
