/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONF_TEMPLATE_H
#define LIB_CONF_TEMPLATE_H

#include <stdio.h>

#include "lib/conf/conf.h"

/*
 * What notices say to people: built-in texts, or those of bounce_template_file (bounce(5)). A file
 * is a sequence of "failure_template = <<WORD", lines, "WORD"; a template is header lines (Charset,
 * From, Subject, Postmaster-Subject), an empty line, text. In the text, $name stands for a
 * parameter; delay_warning_time_hours and the like are times in other units.
 */
enum template_kind {
	TEMPLATE_FAILURE,
	TEMPLATE_DELAY,
	TEMPLATE_SUCCESS,
	TEMPLATE_VERIFY,
	TEMPLATE_KINDS
};

struct template
{
	const char *charset, *from, *subject;
	const char *postmaster_subject; /* NULL: there are no copies of this kind */
	const char *text;               /* LF line ends */
	int line;                       /* of the file; 0: built in */
};

struct template_set {
	struct template items[TEMPLATE_KINDS];
};

/* The built-in texts, not expanded. */
void template_set_builtin(struct template_set *out);

/*
 * Reads a template file over *set, which holds what counts for whatever the file does not say. A
 * template with an error leaves *set as it was for its kind. Each problem is a line in `problems`
 * ("PATH, line N: what is wrong"). Texts live in arena. Pure.
 */
void template_parse(const char *path, struct slice text, struct arena *arena,
    struct template_set *set, struct str *problems);
/* The same from a file; one that cannot be read is a problem. */
void template_read(
    const char *path, struct arena *arena, struct template_set *set, struct str *problems);

/*
 * Puts expanded texts in the place of all texts. One that cannot be expanded is a problem and is
 * replaced by the built-in one. conf gets the times in other units.
 */
void template_expand(struct conf *conf, const char *path, struct arena *arena,
    struct template_set *set, struct str *problems);

/* For postconf -b (texts, expanded before by template_expand) and -t (whole, as a file has them).
 */
void template_print_texts(FILE *out, const struct template_set *set);
void template_print_file(FILE *out, const struct template_set *set);

#endif
