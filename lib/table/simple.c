/* SPDX-License-Identifier: ISC */
/* Tables without content of their own: static, fail, environ, unix (users and groups). */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/table/type.h"

enum { ENTRY_MAX = 1 << 20 };

static int text_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	struct slice text = slice_text(name);

	(void)flags;
	(void)depth;
	(void)err;
	table_unbrace(&text);
	*state_out = alloc_strndup(text.data, text.len);
	return 0;
}

static enum table_answer static_get(void *state, const char *key, struct str *out, struct err *err)
{
	(void)key;
	(void)err;
	str_put_text(out, state);
	return TABLE_FOUND;
}

static int static_next_rule(
    void *state, bool first, struct str *key_out, struct str *value_out, struct err *err)
{
	(void)err;
	if (!first)
		return 0;
	str_put_text(key_out, "any key");
	str_put_text(value_out, state);
	return 1;
}

static enum table_answer fail_get(void *state, const char *key, struct str *out, struct err *err)
{
	(void)state;
	(void)key;
	(void)out;
	err_set(err, EIO, "this table always fails");
	return TABLE_ERROR;
}

static enum table_answer environ_get(void *state, const char *key, struct str *out, struct err *err)
{
	const char *value = getenv(key);

	(void)state;
	(void)err;
	if (!value)
		return TABLE_NOT_FOUND;
	str_put_text(out, value);
	return TABLE_FOUND;
}

const struct table_type table_type_static = {.name = "static",
    .open = text_open,
    .get = static_get,
    .next_rule = static_next_rule,
    .close = free};
const struct table_type table_type_fail = {
    .name = "fail", .open = text_open, .get = fail_get, .close = free};
const struct table_type table_type_environ = {
    .name = "environ", .no_fold = true, .open = text_open, .get = environ_get, .close = free};

/* The line of the user in passwd(5) form. */
static int get_passwd(const char *key, char *buf, size_t size, struct str *out)
{
	struct passwd pw, *found;
	int rc = getpwnam_r(key, &pw, buf, size, &found);

	if (found)
		str_printf(out, "%s:%s:%lu:%lu:%s:%s:%s", pw.pw_name, pw.pw_passwd,
		    (unsigned long)pw.pw_uid, (unsigned long)pw.pw_gid, pw.pw_gecos, pw.pw_dir,
		    pw.pw_shell);
	return rc;
}

static int get_group(const char *key, char *buf, size_t size, struct str *out)
{
	struct group gr, *found;
	int rc = getgrnam_r(key, &gr, buf, size, &found);

	if (!found)
		return rc;
	str_printf(out, "%s:%s:%lu:", gr.gr_name, gr.gr_passwd, (unsigned long)gr.gr_gid);
	for (char **member = gr.gr_mem; *member; member++)
		str_printf(out, "%s%s", member == gr.gr_mem ? "" : ",", *member);
	return rc;
}

static const struct unix_map {
	const char *name;
	int (*get)(const char *key, char *buf, size_t size, struct str *out);
} unix_maps[] = {{"passwd.byname", get_passwd}, {"group.byname", get_group}};

struct unix_table {
	const struct unix_map *map;
};

static int unix_open(const char *name, int flags, int depth, void **state_out, struct err *err)
{
	(void)flags;
	(void)depth;
	for (size_t i = 0; i < ARRAY_LEN(unix_maps); i++) {
		if (strcmp(name, unix_maps[i].name) == 0) {
			struct unix_table *t = alloc_zero(1, sizeof(*t));

			t->map = &unix_maps[i];
			*state_out = t;
			return 0;
		}
	}
	return err_set(err, EINVAL, "expected unix:passwd.byname or unix:group.byname");
}

static enum table_answer unix_get(void *state, const char *key, struct str *out, struct err *err)
{
	const struct unix_table *t = state;
	size_t size = 1024;
	char *buf = alloc(size);
	int rc;

	/* ERANGE: the entry (a group with many members) needs a larger buffer */
	while ((rc = t->map->get(key, buf, size, out)) == ERANGE && size < ENTRY_MAX) {
		size *= 4;
		buf = alloc_array(buf, size, 1);
	}
	free(buf);
	if (out->len > 0)
		return TABLE_FOUND;
	/* the C library's ways to say that there is no such name */
	if (rc == 0 || rc == ENOENT || rc == ESRCH || rc == EBADF || rc == EPERM || rc == EINVAL)
		return TABLE_NOT_FOUND;
	err_set(err, rc, "lookup of %s: %s", key, strerror(rc));
	return TABLE_ERROR;
}

const struct table_type table_type_unix = {
    .name = "unix", .open = unix_open, .get = unix_get, .close = free};
