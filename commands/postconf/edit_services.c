/* SPDX-License-Identifier: ISC */
/*
 * Changes to master.cf. An entry that is replaced is written as postconf -Mf prints it, in the
 * place of the old one; the rest of the file stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/postconf/postconf.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

#define FILE_MAX (4 * 1024 * 1024)

/* "service/type=value", "service/type/field=value", taken apart. */
struct request {
	char *service, *type, *third, *value;
	const char *text;
	bool found;
};

struct edited {           /* an entry of the file, and what becomes of it */
	struct str words; /* the new logical line; empty: leave it */
	bool touched;
};

static const char *const fields[] = {
    "service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"};

static void request_fini(struct request *r)
{
	free(r->service);
	free(r->value);
}

/* One copy is cut at '/' and '='; service points to its start. */
static int parse_request(
    const struct postconf *pc, char what, const char *text, struct request *r, struct err *err)
{
	char *copy = alloc_strdup(text), *eq = NULL, *rest = copy;
	const char *form = what == 'M'   ? "service/type"
	                   : what == 'F' ? "service/type/field"
	                                 : "service/type/parameter";

	*r = (struct request){.service = copy, .text = text};
	if (strchr(text, '\n'))
		return err_set(err, 0, "\"%.60s...\": expected a single line", text);
	if (pc->edit == EDIT_SET) {
		eq = strchr(copy, '=');
		if (!eq)
			return err_set(err, 0, "\"%s\": expected %s=value", text, form);
		*eq = '\0';
		r->value = alloc_strdup(eq + 1 + strspn(eq + 1, " \t"));
	}
	strsep(&rest, "/");
	r->type = strsep(&rest, "/");
	r->third = rest;
	if (r->type)
		r->type[strcspn(r->type, " \t")] = '\0';
	if (r->third)
		r->third[strcspn(r->third, " \t")] = '\0';
	if (!*r->service || !r->type || !*r->type || (what == 'M') != (r->third == NULL) ||
	    (r->third && !*r->third))
		return err_set(err, 0, "\"%s\": expected %s%s", text, form, eq ? "=value" : "");
	if (what == 'P' && eq && r->value[strcspn(r->value, " \t")])
		return err_set(err, 0, "\"%s\": expected a value without white space", text);
	return 0;
}

static bool request_matches(const struct request *r, const struct master_cf_entry *e)
{
	return (strcmp(r->service, "*") == 0 || strcmp(r->service, e->name) == 0) &&
	       (strcmp(r->type, "*") == 0 || strcmp(r->type, master_cf_type_name(e->type)) == 0);
}

/* The entry as one line of words, with one column or parameter changed. */
static int change_field(
    const struct request *r, const struct master_cf_entry *e, struct str *out, struct err *err)
{
	size_t n = ARRAY_LEN(fields), field = 0;

	while (field < n && strcmp(fields[field], r->third) != 0)
		field++;
	if (field == n)
		return err_set(err, 0,
		    "\"%s\": expected a field: service, type, private, unprivileged, chroot, "
		    "wakeup, "
		    "process_limit or command",
		    r->text);
	for (size_t i = 0; i < n; i++)
		str_printf(out, "%s ", i == field ? r->value : e->columns[i]);
	for (size_t i = 0; field != n - 1 && i < e->arg_count; i++)
		str_printf(out, "%s ", e->args[i]);
	return 0;
}

static bool override_is(struct arena *arena, const char *text, const char *name)
{
	struct slice s;
	const char *eq;

	text = services_plain_arg(arena, text);
	if (text[0] == '{')
		text++;
	eq = strchr(text, '=');
	s = slice_trim(slice_of(text, eq ? (size_t)(eq - text) : strlen(text)));
	return slice_eq(s, name);
}

/* The options -o of the daemon come first; a new one goes behind the last of them. */
static void change_param(const struct request *r, const struct master_cf_entry *e, struct str *out)
{
	struct arena arena = {0};
	bool done = r->value == NULL;
	size_t i = 0;

	for (size_t c = 0; c < ARRAY_LEN(fields); c++)
		str_printf(out, "%s ", e->columns[c]);
	for (; i < e->arg_count && e->args[i][0] == '-' && e->args[i][1]; i++) {
		const char *arg = e->args[i], *value = arg + 2;

		if (arg[1] != 'o') {
			str_printf(out, "%s ", arg);
			continue;
		}
		if (!*value && i + 1 < e->arg_count)
			value = e->args[++i];
		if (!override_is(&arena, value, r->third)) {
			str_printf(out, "-o %s ", value);
		} else if (r->value) {
			str_printf(out, "-o %s=%s ", r->third, r->value);
			done = true;
		}
	}
	if (!done)
		str_printf(out, "-o %s=%s ", r->third, r->value);
	for (; i < e->arg_count; i++)
		str_printf(out, "%s ", e->args[i]);
	arena_fini(&arena);
}

/* Applies one request to the entry as it stands now; *cf is replaced by the changed entry. */
static int apply(
    struct postconf *pc, char what, const struct request *r, struct master_cf *cf, struct err *err)
{
	struct str line = {0};
	struct master_cf changed;
	int result = 0;

	if (what == 'M')
		str_put_text(&line, r->value);
	else if (what == 'F')
		result = change_field(r, &cf->entries[0], &line, err);
	else
		change_param(r, &cf->entries[0], &line);
	if (result == 0)
		result = master_cf_parse(r->text, str_text(&line), line.len, &changed, err);
	if (result == 0 && changed.count != 1) {
		master_cf_fini(&changed);
		result =
		    err_set(err, 0, "\"%s\": expected the eight columns of one entry", r->text);
	}
	if (result == 0) {
		master_cf_fini(cf);
		*cf = changed;
	}
	(void)pc;
	str_fini(&line);
	return result;
}

static void print_to(struct str *out, const struct master_cf *cf)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		fatal("open_memstream: out of memory");
	services_print_entry(f, true, &cf->entries[0]);
	fclose(f);
	str_put(out, text, len);
	free(text);
}

struct editor {
	struct postconf *pc;
	char what;
	struct request *requests;
	int count;
	struct str *out;
	struct err *err;
};

/*
 * One entry: `lines` are its physical lines, with the comments in between; `logical` is what
 * the parser gets. The comments of a replaced entry stay, in front of it.
 */
static int edit_entry(struct editor *ed, const struct str *lines, const struct str *logical)
{
	struct master_cf cf;
	bool touched = false;
	size_t pos = 0;

	if (master_cf_parse("master.cf", str_text(logical), logical->len, &cf, ed->err) < 0)
		return -1;
	for (int i = 0; i < ed->count && cf.count == 1; i++) {
		struct request *r = &ed->requests[i];

		if (!request_matches(r, &cf.entries[0]))
			continue;
		r->found = touched = true;
		if ((ed->pc->edit == EDIT_SET || ed->what == 'P') &&
		    apply(ed->pc, ed->what, r, &cf, ed->err) < 0) {
			master_cf_fini(&cf);
			return -1;
		}
	}
	while (pos < lines->len) {
		const char *nl = memchr(lines->data + pos, '\n', lines->len - pos);
		struct slice line =
		    slice_of(lines->data + pos, (size_t)(nl + 1 - lines->data) - pos);
		struct slice bare = slice_trim(line);
		bool comment = bare.len == 0 || bare.data[0] == '#';

		pos += line.len;
		if (touched && !comment && ed->pc->edit == EDIT_COMMENT && ed->what == 'M')
			str_put_char(ed->out, '#');
		else if (touched && !comment)
			continue;
		str_put(ed->out, line.data, line.len);
	}
	if (touched && (ed->pc->edit == EDIT_SET || ed->what == 'P'))
		print_to(ed->out, &cf);
	master_cf_fini(&cf);
	return 0;
}

/* Cuts the file into entries; what follows an entry's last line belongs to nobody. */
static int edit_text(struct editor *ed, const struct str *in)
{
	struct str lines = {0}, logical = {0}, trail = {0};
	size_t pos = 0;
	int result = 0;

	while (result == 0 && pos < in->len) {
		const char *nl = memchr(in->data + pos, '\n', in->len - pos);
		size_t len = nl ? (size_t)(nl - in->data) - pos : in->len - pos;
		struct slice line = slice_of(in->data + pos, len), bare = slice_trim(line);
		bool comment = bare.len == 0 || bare.data[0] == '#';

		pos += len + 1;
		if (!comment && line.data[0] != ' ' && line.data[0] != '\t') {
			if (logical.len)
				result = edit_entry(ed, &lines, &logical);
			str_clear(&lines);
			str_clear(&logical);
			str_put(ed->out, str_text(&trail), trail.len);
			str_clear(&trail);
		}
		if (!comment) {
			str_put(&lines, str_text(&trail), trail.len);
			str_clear(&trail);
			str_printf(&lines, "%.*s\n", SLICE_ARG(line));
			str_printf(&logical, "%.*s ", SLICE_ARG(line));
		} else {
			str_printf(&trail, "%.*s\n", SLICE_ARG(line));
		}
	}
	if (result == 0 && logical.len)
		result = edit_entry(ed, &lines, &logical);
	str_put(ed->out, str_text(&trail), trail.len);
	str_fini(&lines);
	str_fini(&logical);
	str_fini(&trail);
	return result;
}

/* Requests that met no entry: with -M a new entry, otherwise a mistake worth a warning. */
static int finish(struct editor *ed)
{
	for (int i = 0; i < ed->count; i++) {
		const struct request *r = &ed->requests[i];
		struct master_cf cf = {0};

		if (r->found)
			continue;
		if (ed->what != 'M' || ed->pc->edit != EDIT_SET) {
			log_warn("unmatched request: \"%s\"", r->text);
			continue;
		}
		if (apply(ed->pc, 'M', r, &cf, ed->err) < 0)
			return -1;
		print_to(ed->out, &cf);
		master_cf_fini(&cf);
	}
	return 0;
}

int edit_services(struct postconf *pc, char what, char **requests, int count, struct err *err)
{
	char *plain = alloc_printf("%s/master.cf", pc->etc), *path = realpath(plain, NULL);
	struct str in = {0}, out = {0};
	struct editor ed = {.pc = pc, .what = what, .count = count, .out = &out, .err = err};
	int lock = -1, result = -1;

	ed.requests = alloc_zero((size_t)count, sizeof(*ed.requests));
	if (!path) {
		err_sys(err, "open %s", plain);
		goto done;
	}
	for (int i = 0; i < count; i++) {
		if (parse_request(pc, what, requests[i], &ed.requests[i], err) < 0)
			goto done;
	}
	lock = edit_lock(path, err);
	if (lock < 0 || fd_read_file(path, FILE_MAX, &in, err) < 0)
		goto done;
	if (edit_text(&ed, &in) < 0 || finish(&ed) < 0)
		goto done;
	result = edit_replace_file(path, &out, err);
done:
	fd_close(&lock);
	for (int i = 0; i < count; i++)
		request_fini(&ed.requests[i]);
	free(ed.requests);
	str_fini(&in);
	str_fini(&out);
	free(plain);
	free(path);
	return result;
}
