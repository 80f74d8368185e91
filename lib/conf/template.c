/* SPDX-License-Identifier: ISC */
#include "lib/conf/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"

enum { FILE_MAX = 1024 * 1024, HEADER_MAX = 900, WORD_MAX = 100 };

static const struct {
	const char *name; /* in the file: name_template; shown: expanded_name_text */
	struct template builtin;
} kinds[TEMPLATE_KINDS] = {
    [TEMPLATE_FAILURE] =
        {
            "failure",
            {
                .charset = "us-ascii",
                .from = "Mail Delivery System <MAILER-DAEMON>",
                .subject = "Undelivered Mail Returned to Sender",
                .postmaster_subject = "Postmaster Copy: Undelivered Mail",
                .text = "The mail system at host $myhostname reports:\n"
                        "\n"
                        "Your message could not be delivered to the recipients named below.\n"
                        "What each of their mail systems said, or what went wrong here, stands\n"
                        "behind the address. No further attempt will be made.\n"
                        "\n"
                        "The original message, or its header lines, is attached. If you cannot\n"
                        "tell from this report what to do, ask the postmaster, and include the\n"
                        "report.\n",
            },
        },
    [TEMPLATE_DELAY] =
        {
            "delay",
            {
                .charset = "us-ascii",
                .from = "Mail Delivery System <MAILER-DAEMON>",
                .subject = "Delayed Mail (still being retried)",
                .postmaster_subject = "Postmaster Warning: Delayed Mail",
                .text = "The mail system at host $myhostname reports:\n"
                        "\n"
                        "THIS IS ONLY A WARNING: YOU NEED NOT SEND YOUR MESSAGE AGAIN.\n"
                        "\n"
                        "Your message has been waiting for $delay_warning_time_hours hour(s) or\n"
                        "more, for the recipients named below. It will be tried again until it\n"
                        "is $maximal_queue_lifetime_days day(s) old.\n",
            },
        },
    [TEMPLATE_SUCCESS] =
        {
            "success",
            {
                .charset = "us-ascii",
                .from = "Mail Delivery System <MAILER-DAEMON>",
                .subject = "Successful Mail Delivery Report",
                .text = "The mail system at host $myhostname reports:\n"
                        "\n"
                        "Your message has reached the recipients named below, or has been\n"
                        "handed on to a mail system that gives no such reports. In the second\n"
                        "case you may still hear from another system that it could not be\n"
                        "delivered.\n",
            },
        },
    [TEMPLATE_VERIFY] =
        {
            "verify",
            {
                .charset = "us-ascii",
                .from = "Mail Delivery System <MAILER-DAEMON>",
                .subject = "Mail Delivery Status Report",
                .text = "The mail system at host $myhostname reports:\n"
                        "\n"
                        "This is the delivery report that you asked for.\n",
            },
        },
};

void template_set_builtin(struct template_set *out)
{
	for (size_t i = 0; i < TEMPLATE_KINDS; i++)
		out->items[i] = kinds[i].builtin;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct reader {
	const char *path;
	struct slice rest;
	int line; /* number of the line that was taken last */
	struct arena *arena;
	struct str *problems;
};

static void PRINTF_LIKE(3, 4) problem(struct reader *r, int line, const char *fmt, ...)
{
	va_list ap;

	str_printf(r->problems, "%s, line %d: ", r->path, line);
	va_start(ap, fmt);
	str_vprintf(r->problems, fmt, ap);
	va_end(ap);
	str_put_char(r->problems, '\n');
}

/* The next line without its end; false: there is none. */
static bool take_line(struct reader *r, struct slice *out)
{
	const char *end;

	if (r->rest.len == 0)
		return false;
	end = memchr(r->rest.data, '\n', r->rest.len);
	*out = slice_of(r->rest.data, end ? (size_t)(end - r->rest.data) : r->rest.len);
	r->rest.data += out->len + (end != NULL);
	r->rest.len -= out->len + (end != NULL);
	if (out->len && out->data[out->len - 1] == '\r')
		out->len--;
	r->line++;
	return true;
}

static bool has_odd_bytes(struct slice text, unsigned char below)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c > 126 || c < below)
			return true;
	}
	return false;
}

/* "Name: value"; false: the line is none. */
static bool split_header(struct slice line, struct slice *name, struct slice *value)
{
	size_t n = 0;

	while (n < line.len && line.data[n] > ' ' && line.data[n] < 127 && line.data[n] != ':')
		n++;
	if (n == 0 || n == line.len || line.data[n] != ':')
		return false;
	*name = slice_of(line.data, n);
	*value = slice_trim(slice_of(line.data + n + 1, line.len - n - 1));
	return true;
}

static bool take_header(
    struct reader *r, struct slice name, struct slice value, int line, struct template *t)
{
	const struct {
		const char *name;
		const char **at;
	} fields[] = {
	    {"Charset", &t->charset},
	    {"From", &t->from},
	    {"Subject", &t->subject},
	    {"Postmaster-Subject", &t->postmaster_subject},
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!slice_eq_nocase(name, fields[i].name))
			continue;
		if (value.len == 0 || value.len > HEADER_MAX || has_odd_bytes(value, ' ')) {
			problem(r, line, "%s: expected 1 to %d printable ASCII characters",
			    fields[i].name, HEADER_MAX);
			return false;
		}
		/* it becomes a parameter of Content-Type */
		if (fields[i].at == &t->charset && memchr(value.data, '"', value.len)) {
			problem(r, line, "Charset: expected the name of a character set");
			return false;
		}
		*fields[i].at = arena_strndup(r->arena, value.data, value.len);
		return true;
	}
	problem(r, line, "%.*s: expected Charset, From, Subject or Postmaster-Subject",
	    (int)MIN(name.len, (size_t)WORD_MAX), name.data);
	return false;
}

/* A template's lines, without the marks around them. false: an error, which has been told. */
static bool parse_body(struct reader *r, struct slice body, int line, struct template *t)
{
	struct reader lines = *r;
	struct slice text = body, one, name, value;
	bool good = true;

	lines.rest = body;
	lines.line = line;
	while (take_line(&lines, &one) && split_header(one, &name, &value)) {
		good = take_header(r, name, value, lines.line, t) && good;
		text = lines.rest;
	}
	while (text.len > 0 && (text.data[0] == '\n' || text.data[0] == '\r'))
		text = slice_of(text.data + 1, text.len - 1);
	if (text.len == 0) {
		problem(r, line, "the template has no text");
		return false;
	}
	if (memchr(text.data, '\0', text.len)) {
		problem(r, line, "the template has a zero byte");
		return false;
	}
	for (size_t i = 0; i < text.len && text_eq_nocase(t->charset, "us-ascii"); i++) {
		if ((unsigned char)text.data[i] < 127)
			continue;
		problem(r, line, "the text is not ASCII: a Charset: header must say what it is");
		return false;
	}
	t->text = arena_strndup(r->arena, text.data, text.len);
	t->line = line;
	return good;
}

/* The lines up to the end mark. false: it is missing. */
static bool take_document(struct reader *r, struct slice word, struct slice *out)
{
	struct slice line;

	*out = slice_of(r->rest.data, 0);
	while (take_line(r, &line)) {
		if (line.len == word.len && memcmp(line.data, word.data, word.len) == 0)
			return true;
		out->len = (size_t)(r->rest.data - out->data);
	}
	return false;
}

static int kind_of(struct slice name)
{
	char full[32];

	for (int i = 0; i < TEMPLATE_KINDS; i++) {
		snprintf(full, sizeof(full), "%s_template", kinds[i].name);
		if (slice_eq(name, full))
			return i;
	}
	return -1;
}

/* "name = <<WORD" */
static bool split_start(struct slice line, struct slice *name, struct slice *word)
{
	const char *equals = memchr(line.data, '=', line.len);
	struct slice value;

	if (!equals)
		return false;
	*name = slice_trim(slice_of(line.data, (size_t)(equals - line.data)));
	value = slice_trim(slice_of(equals + 1, line.len - (size_t)(equals + 1 - line.data)));
	if (name->len == 0 || value.len < 3 || memcmp(value.data, "<<", 2) != 0)
		return false;
	*word = slice_trim(slice_of(value.data + 2, value.len - 2));
	for (size_t i = 0; i < word->len; i++)
		if (strchr(" \t'\"", word->data[i]))
			return false;
	return word->len > 0;
}

static void take_template(
    struct reader *r, struct slice name, struct slice word, struct template_set *set)
{
	int start = r->line, kind = kind_of(name);
	struct template t;
	struct slice body;

	if (!take_document(r, word, &body)) {
		problem(r, start, "there is no line \"%.*s\" that ends the template",
		    (int)MIN(word.len, (size_t)WORD_MAX), word.data);
		return;
	}
	if (kind < 0) {
		problem(r, start,
		    "%.*s: expected failure_template, delay_template, success_template or "
		    "verify_template",
		    (int)MIN(name.len, (size_t)WORD_MAX), name.data);
		return;
	}
	t = kinds[kind].builtin;
	if (parse_body(r, body, start, &t))
		set->items[kind] = t;
}

void template_parse(const char *path, struct slice text, struct arena *arena,
    struct template_set *set, struct str *problems)
{
	struct reader r = {.path = path, .rest = text, .arena = arena, .problems = problems};
	struct slice line, name, word;

	while (take_line(&r, &line)) {
		struct slice plain = slice_trim(line);

		if (plain.len == 0 || plain.data[0] == '#')
			continue;
		if (split_start(line, &name, &word))
			take_template(&r, name, word, set);
		else
			problem(&r, r.line, "expected \"name = <<WORD\", not \"%.*s\"",
			    (int)MIN(plain.len, (size_t)WORD_MAX), plain.data);
	}
}

void template_read(
    const char *path, struct arena *arena, struct template_set *set, struct str *problems)
{
	struct str text = {.max = FILE_MAX};
	char buf[8192];
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && !text.overflow && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			str_put(&text, buf, (size_t)n);
	}
	if (n < 0)
		str_printf(problems, "open %s: %s\n", path, strerror(errno));
	else if (text.overflow)
		str_printf(problems, "%s: the file is larger than %d bytes\n", path, FILE_MAX);
	else
		template_parse(path, slice_of(str_text(&text), text.len), arena, set, problems);
	if (fd >= 0)
		close(fd);
	str_fini(&text);
}

/* ---- $name --------------------------------------------------------------------------------------
 */

struct times {
	int delay_warning_time, maximal_queue_lifetime;
};

static void set_times(struct conf *conf)
{
	static const struct conf_param rows[] = {
	    CONF_SECS(struct times, delay_warning_time, "delay_warning_time", "0h", 0, 0, ""),
	    CONF_SECS(
	        struct times, maximal_queue_lifetime, "maximal_queue_lifetime", "5d", 0, 0, ""),
	};
	static const struct conf_table table = {rows, ARRAY_LEN(rows)};
	static const struct {
		const char *suffix;
		int seconds;
	} units[] = {
	    {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}, {"weeks", 604800}};
	struct conf_report report = {0};
	struct times times;
	char name[64], value[16];

	conf_fill(conf, &table, &times, &report); /* what is wrong is told by who owns the rows */
	conf_report_fini(&report);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int seconds = i == 0 ? times.delay_warning_time : times.maximal_queue_lifetime;

		for (size_t k = 0; k < ARRAY_LEN(units); k++) {
			snprintf(name, sizeof(name), "%s_%s", rows[i].name, units[k].suffix);
			snprintf(value, sizeof(value), "%d", seconds / units[k].seconds);
			conf_set(conf, name, value, "bounce(5)");
		}
	}
}

void template_expand(struct conf *conf, const char *path, struct arena *arena,
    struct template_set *set, struct str *problems)
{
	set_times(conf);
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		struct template *t = &set->items[i];
		struct str out = {0};
		struct err err;

		if (conf_expand(conf, t->text, &out, &err) < 0) {
			str_printf(problems, "%s, line %d: %s_template: %s\n", path, t->line,
			    kinds[i].name, err.text);
			*t = kinds[i].builtin;
			str_clear(&out);
			if (conf_expand(conf, t->text, &out, &err) < 0)
				str_put_text(&out, t->text);
		}
		t->text = arena_strdup(arena, str_text(&out));
		str_fini(&out);
	}
}

/* ---- showing ------------------------------------------------------------------------------------
 */

static void print_document(FILE *out, const char *text)
{
	size_t len = strlen(text);

	fprintf(out, "%s%sEOF\n", text, len && text[len - 1] != '\n' ? "\n" : "");
}

void template_print_texts(FILE *out, const struct template_set *set)
{
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		fprintf(out, "%sexpanded_%s_text = <<EOF\n", i ? "\n" : "", kinds[i].name);
		print_document(out, set->items[i].text);
	}
}

void template_print_file(FILE *out, const struct template_set *set)
{
	for (size_t i = 0; i < TEMPLATE_KINDS; i++) {
		const struct template *t = &set->items[i];

		fprintf(out, "%s%s_template = <<EOF\nCharset: %s\nFrom: %s\nSubject: %s\n",
		    i ? "\n" : "", kinds[i].name, t->charset, t->from, t->subject);
		if (t->postmaster_subject)
			fprintf(out, "Postmaster-Subject: %s\n", t->postmaster_subject);
		fputc('\n', out);
		print_document(out, t->text);
	}
}
