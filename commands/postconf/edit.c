/* SPDX-License-Identifier: ISC */
/*
 * Changes to a configuration file keep everything that they do not concern: order, comments, empty
 * lines, mode and owner. The new text is written beside the old one and renamed over it, so that
 * there is always one whole file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/postconf/postconf.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/sys/fd.h"

#define FILE_MAX (4 * 1024 * 1024)

struct change {
	char *name, *value;
	int found; /* entries of this name in the file */
};

int edit_lock(const char *path, struct err *err)
{
	char *tmp = alloc_printf("%s.tmp", path);
	struct stat mine, there;
	int fd = -1;

	/* Who holds the lock may rename the file away: then it is the next one that counts. */
	for (int tries = 0; tries < 100; tries++) {
		fd = open(tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 || fd_lock(fd, true) < 0) {
			err_sys(err, "open %s", tmp);
			break;
		}
		if (fstat(fd, &mine) == 0 && lstat(tmp, &there) == 0 &&
		    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
			free(tmp);
			return fd;
		}
		fd_close(&fd);
		err_set(err, EBUSY, "%s: somebody else edits without an end", path);
	}
	fd_close(&fd);
	free(tmp);
	return -1;
}

int edit_replace_file(const char *path, const struct str *text, struct err *err)
{
	char *tmp = alloc_printf("%s.tmp", path);
	struct stat old;
	int fd, result = -1;

	fd = open(tmp, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		err_sys(err, "open %s", tmp);
	} else if (fd_write_all(fd, str_text(text), text->len) < 0 || stat(path, &old) < 0 ||
	           fchmod(fd, old.st_mode & 07777) < 0 ||
	           (fchown(fd, old.st_uid, old.st_gid) < 0 && (geteuid() == 0 || errno != EPERM)) ||
	           fsync(fd) < 0 || rename(tmp, path) < 0) {
		err_sys(err, "write %s", path);
		unlink(tmp);
	} else {
		result = 0;
	}
	fd_close(&fd);
	free(tmp);
	return result;
}

static int parse_request(
    const struct postconf *pc, const char *request, struct change *change, struct err *err)
{
	const char *eq = strchr(request, '=');
	struct slice name, value = {0};

	if (strchr(request, '\n'))
		return err_set(err, 0, "\"%.60s...\": expected a single line", request);
	if (pc->edit == EDIT_SET) {
		if (!eq)
			return err_set(err, 0, "\"%s\": expected name=value", request);
		value = slice_trim(slice_text(eq + 1));
	} else if (eq) {
		return err_set(
		    err, 0, "\"%s\": expected a parameter name without a value", request);
	}
	name = slice_trim(slice_of(request, eq ? (size_t)(eq - request) : strlen(request)));
	if (name.len == 0 || name.data[0] == '#' || slice_has(name, ' ') || slice_has(name, '\t'))
		return err_set(err, 0, "\"%s\": expected one parameter name%s", request,
		    pc->edit == EDIT_SET ? " before '='" : "");
	change->name = alloc_strndup(name.data, name.len);
	change->value = alloc_strndup(value.data ? value.data : "", value.len);
	return 0;
}

static bool is_nothing(struct slice line)
{
	line = slice_trim(line);
	return line.len == 0 || line.data[0] == '#';
}

/* The change that concerns the logical line which starts here, or NULL. */
static struct change *change_of(struct slice line, const struct map *changes)
{
	const char *eq = memchr(line.data, '=', line.len);
	struct slice name;
	struct change *change;
	char *text;

	if (!eq)
		return NULL;
	name = slice_trim(slice_of(line.data, (size_t)(eq - line.data)));
	text = alloc_strndup(name.data, name.len);
	change = map_get(changes, text);
	free(text);
	return change;
}

/* Goes over the physical lines; a changed entry's continuation lines go the way of its first. */
static void rewrite(const struct postconf *pc, const struct str *in, const struct map *changes,
    const char *path, struct str *out)
{
	struct change *current = NULL;
	size_t pos = 0;

	while (pos < in->len) {
		const char *nl = memchr(in->data + pos, '\n', in->len - pos);
		size_t len = nl ? (size_t)(nl - in->data) - pos : in->len - pos;
		struct slice line = slice_of(in->data + pos, len);
		bool first = false;

		pos += len + 1;
		if (!is_nothing(line) && line.data[0] != ' ' && line.data[0] != '\t') {
			current = change_of(line, changes);
			first = true;
		}
		if (current && first && current->found++ == 1)
			log_warn("%s: multiple entries for \"%s\"", path, current->name);
		if (!current || is_nothing(line)) {
			str_put(out, line.data, line.len);
			str_put_char(out, '\n');
		} else if (pc->edit == EDIT_COMMENT) {
			str_printf(out, "#%.*s\n", SLICE_ARG(line));
		} else if (pc->edit == EDIT_SET && first) {
			str_printf(out, "%s = %s\n", current->name, current->value);
		}
	}
}

int edit_main(struct postconf *pc, char **requests, int count, struct err *err)
{
	char *plain = alloc_printf("%s/main.cf", pc->etc), *path = realpath(plain, NULL);
	struct change *changes = alloc_zero((size_t)count, sizeof(*changes));
	struct map *by_name = map_new();
	struct str in = {0}, out = {0};
	int lock = -1, result = -1;

	if (!path) {
		err_sys(err, "open %s", plain);
		goto done;
	}
	for (int i = 0; i < count; i++) {
		struct change *earlier;

		if (parse_request(pc, requests[i], &changes[i], err) < 0)
			goto done;
		earlier = map_put(by_name, changes[i].name, &changes[i]);
		if (earlier)
			earlier->found = -1; /* the last request for a name counts */
	}
	lock = edit_lock(path, err);
	if (lock < 0 || fd_read_file(path, FILE_MAX, &in, err) < 0)
		goto done;
	rewrite(pc, &in, by_name, path, &out);
	for (int i = 0; pc->edit == EDIT_SET && i < count; i++) {
		if (changes[i].found == 0)
			str_printf(&out, "%s = %s\n", changes[i].name, changes[i].value);
	}
	result = edit_replace_file(path, &out, err);
done:
	fd_close(&lock);
	for (int i = 0; i < count; i++) {
		free(changes[i].name);
		free(changes[i].value);
	}
	free(changes);
	map_free(&by_name, NULL);
	str_fini(&in);
	str_fini(&out);
	free(plain);
	free(path);
	return result;
}
