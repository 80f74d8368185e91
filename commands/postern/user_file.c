/* SPDX-License-Identifier: ISC */
#include "commands/postern/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/auth/entry.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/conf/lines.h"
#include "lib/sys/fd.h"
#include "lib/table/build.h"
#include "lib/table/entry.h"

enum { FILE_MAX = 256 * 1024 * 1024 };

struct user_file {
	char *table; /* as given */
	const char *path;
	bool indexed;
	int fd; /* locked, when there is to be a change */
	struct stat st;
	bool is_new;
	gid_t group; /* of a new file; (gid_t)-1: the caller's */
	struct str text;
};

/* An entry and where it stands, with the lines that continue it. */
struct place {
	size_t start, end;
	struct slice key, value; /* in line */
	struct str line;
};

/* ---- text ----------------------------------------------------------------------------------- */

static size_t line_end(const struct str *text, size_t at)
{
	const char *nl = memchr(text->data + at, '\n', text->len - at);

	return nl ? (size_t)(nl - text->data) + 1 : text->len;
}

/* 'e' begins an entry, 'c' continues one, 's' is skipped: as lib/conf/lines.h has it. */
static char kind_of(const struct str *text, size_t start, size_t end)
{
	size_t i = start;

	while (i < end && (text->data[i] == ' ' || text->data[i] == '\t' || text->data[i] == '\r'))
		i++;
	if (i == end || text->data[i] == '\n' || text->data[i] == '#')
		return 's';
	return i > start ? 'c' : 'e';
}

/* The next entry from *pos on. */
static bool next_entry(const struct str *text, size_t *pos, struct place *out)
{
	struct lines lines = {0};
	struct slice line;
	struct err err;
	bool found = false;

	for (; *pos < text->len; *pos = out->end) {
		out->start = *pos;
		out->end = line_end(text, *pos);
		if (kind_of(text, out->start, out->end) == 'e')
			break;
	}
	if (*pos >= text->len)
		return false;
	for (size_t at = out->end; at < text->len; at = line_end(text, at)) {
		size_t end = line_end(text, at);
		char kind = kind_of(text, at, end);

		if (kind == 'e')
			break;
		if (kind == 'c')
			out->end = end;
	}
	*pos = out->end;
	lines.text = text->data + out->start;
	lines.len = out->end - out->start;
	str_clear(&out->line);
	if (lines_next(&lines, &line))
		str_put(&out->line, line.data, line.len);
	found = entry_parse(slice_of(str_text(&out->line), out->line.len), &out->key, &out->value,
	            &err) == 0;
	if (!found)
		out->key = out->value = slice_of("", 0);
	lines_fini(&lines);
	return true;
}

static bool find(const struct user_file *f, const char *name, struct place *out)
{
	size_t pos = 0;

	*out = (struct place){0};
	while (f->text.len && next_entry(&f->text, &pos, out))
		if (slice_eq_nocase(out->key, name))
			return true;
	return false;
}

bool user_file_has(const struct user_file *f, const char *name)
{
	struct place place;
	bool there = find(f, name, &place);

	str_fini(&place.line);
	return there;
}

void user_file_put(struct user_file *f, const char *name, const char *value)
{
	struct place place;
	struct str text = {0};

	if (!find(f, name, &place))
		place.start = place.end = f->text.len;
	str_put(&text, str_text(&f->text), place.start);
	if (value && text.len && text.data[text.len - 1] != '\n')
		str_put_char(&text, '\n');
	if (value)
		str_printf(&text, "%s\t%s\n", name, value);
	str_put(&text, str_text(&f->text) + place.end, f->text.len - place.end);
	str_fini(&f->text);
	f->text = text;
	str_fini(&place.line);
}

/* Appends the words of the entry's value that do, or do not, say who it is and whether he may. */
static void put_words(
    const struct user_file *f, const char *name, bool password, bool others, struct str *out)
{
	struct place place;

	if (find(f, name, &place)) {
		const char *p = place.value.data, *end = p + place.value.len;

		while (p < end) {
			size_t len = 0;
			struct slice word;
			bool other;

			while (p + len < end && p[len] != ' ' && p[len] != '\t')
				len++;
			word = slice_of(p, len);
			other = slice_eq_nocase(word, "disabled") ||
			        (len > 5 && slice_eq_nocase(slice_of(p, 5), "user="));
			if (len && (other ? others : password))
				str_printf(out, "%s%.*s", out->len ? " " : "", SLICE_ARG(word));
			p += len + (p + len < end);
		}
	}
	str_fini(&place.line);
}

void user_file_keep_words(const struct user_file *f, const char *name, struct str *value)
{
	put_words(f, name, false, true, value);
}

void user_file_disable(struct user_file *f, const char *name, bool disabled)
{
	struct str all = {0}, value = {0};
	const char *p;

	put_words(f, name, true, true, &all);
	for (p = str_text(&all); *p;) {
		size_t len = strcspn(p, " ");

		if (!slice_eq_nocase(slice_of(p, len), "disabled"))
			str_printf(&value, "%s%.*s", value.len ? " " : "", (int)len, p);
		p += len + (p[len] == ' ');
	}
	if (disabled)
		str_put_text(&value, " disabled");
	user_file_put(f, name, str_text(&value));
	str_fini(&all);
	str_fini(&value);
}

/* ---- telling -------------------------------------------------------------------------------- */

static void describe(const struct user_entry *e)
{
	static const char *const digests[] = {
	    [DIGEST_SHA256] = "SCRAM-SHA-256", [DIGEST_SHA1] = "SCRAM-SHA-1"};
	size_t method = e->hash[0] == '$' ? strcspn(e->hash + 1, "$") + 2 : 0;

	if (e->hash[0])
		printf(" %.*s", method ? (int)method : 4, method ? e->hash : "hash");
	if (e->password[0])
		printf(" plain");
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (digests[i] && e->has_verifier[i])
			printf(" %s", digests[i]);
	if (e->user[0])
		printf(" user=%s", e->user);
	if (e->disabled)
		printf(" disabled");
}

void user_file_list(const struct user_file *f)
{
	struct place place = {0};
	struct user_entry entry;
	struct err err;
	size_t pos = 0;

	while (f->text.len && next_entry(&f->text, &pos, &place)) {
		if (place.key.len == 0)
			continue;
		printf("%-30.*s", SLICE_ARG(place.key));
		if (user_entry_parse(place.value, &entry, &err) == 0)
			describe(&entry);
		else
			printf(" bad: %s", err.text);
		putchar('\n');
		user_entry_wipe(&entry);
	}
	str_fini(&place.line);
}

/* ---- the file ------------------------------------------------------------------------------- */

/* The lock is on the file that has the name now: whoever held it may have put a new one there. */
static int open_locked(struct user_file *f, bool writes, struct err *err)
{
	struct stat named;

	for (;;) {
		f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
		if (f->fd < 0 && errno == ENOENT && writes) {
			f->fd = open(f->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
			if (f->fd < 0 && errno == EEXIST)
				continue;
			f->is_new = f->fd >= 0;
		}
		if (f->fd < 0)
			return err_sys(err, "%s", f->path);
		if (fstat(f->fd, &f->st) < 0 || (writes && fd_lock(f->fd, true) < 0))
			return err_sys(err, "%s", f->path);
		if (!writes || (stat(f->path, &named) == 0 && named.st_ino == f->st.st_ino &&
		                   named.st_dev == f->st.st_dev))
			return fd_read_file(f->path, FILE_MAX, &f->text, err);
		fd_close(&f->fd);
	}
}

struct user_file *user_file_open(const char *table, bool writes, const char *owner, struct err *err)
{
	struct user_file *f = alloc_zero(1, sizeof(*f));
	const struct passwd *pw = writes && geteuid() == 0 ? getpwnam(owner) : NULL;
	struct err why;

	f->fd = -1;
	f->group = pw ? pw->pw_gid : (gid_t)-1;
	f->table = alloc_strdup(table);
	f->path = f->table + (strncmp(table, "texthash:", 9) == 0 ? 9 : 0);
	if (f->path == f->table) {
		f->indexed = build_split_name(f->table, &f->path, &why) == 0;
		if (!f->indexed || strpbrk(f->path, ", \t")) {
			err_set(err, 0,
			    "%s: expected one table, lmdb:/path or texthash:/path; name it with -f",
			    table);
			user_file_close(&f);
			return NULL;
		}
	}
	if (open_locked(f, writes, err) < 0)
		user_file_close(&f);
	return f;
}

void user_file_close(struct user_file **file)
{
	struct user_file *f = *file;

	if (!f)
		return;
	fd_close(&f->fd);
	str_fini(&f->text);
	free(f->table);
	free(f);
	*file = NULL;
}

static int fill(struct user_file *f, int fd)
{
	mode_t mode = !f->is_new ? f->st.st_mode & 07777 : f->group != (gid_t)-1 ? 0640 : 0600;
	uid_t uid = f->st.st_uid;
	gid_t gid = f->is_new ? f->group : f->st.st_gid;

	if (fchown(fd, uid, gid) < 0 && geteuid() == 0)
		return -1;
	/* until its index is there nobody else makes one of it */
	return fchmod(fd, mode) < 0 || fd_lock(fd, true) < 0 ||
	               fd_write_all(fd, str_text(&f->text), f->text.len) < 0 || fsync(fd) < 0
	           ? -1
	           : 0;
}

static void sync_folder(const char *path)
{
	char *folder = alloc_strdup(path), *slash = strrchr(folder, '/');
	int fd;

	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)!fsync(fd);
	fd_close(&fd);
	free(folder);
}

int user_file_save(struct user_file *f, struct err *err)
{
	const struct build_options options = {0};
	char *part = alloc_printf("%s.XXXXXX", f->path);
	int fd = mkstemp(part), result = 0;

	if (fd < 0 || fill(f, fd) < 0 || rename(part, f->path) < 0) {
		result = err_sys(err, "%s", part);
		if (fd >= 0)
			unlink(part);
	}
	free(part);
	if (result < 0) {
		fd_close(&fd);
		return -1;
	}
	fd_close(&f->fd);
	f->fd = fd;
	sync_folder(f->path);
	if (f->st.st_mode & 07)
		log_warn("%s: everybody may read it: chmod o= would end that", f->path);
	return f->indexed ? build_index(f->table, &options, err) : 0;
}
