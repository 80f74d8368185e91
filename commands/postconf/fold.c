/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "commands/postconf/postconf.h"

#define INDENT "    "

void fold_text(struct folder *f, const char *text)
{
	fputs(text, f->out);
	f->column += strlen(text);
}

void fold_indent(struct folder *f)
{
	fputs("\n" INDENT, f->out);
	f->column = strlen(INDENT);
}

void fold_word(struct folder *f, const char *text)
{
	if (f->column > 0) {
		if (f->fold && f->column + 1 + strlen(text) > (f->width ? f->width : 80))
			fold_indent(f);
		else
			fold_text(f, " ");
	}
	fold_text(f, text);
}

void fold_words(struct folder *f, const char *text)
{
	struct str word = {0};
	size_t n;

	for (; *(text += strspn(text, " \t\r\n")); text += n) {
		n = strcspn(text, " \t\r\n");
		str_clear(&word);
		str_put(&word, text, n);
		fold_word(f, str_text(&word));
	}
	str_fini(&word);
}

void fold_end(struct folder *f)
{
	fputc('\n', f->out);
	f->column = 0;
}
