/* SPDX-License-Identifier: ISC */
#include "anvil/anvil.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"

/*
 * The file is text, a key a line: the rates as "start:count", blanks between, and the key behind
 * them. What was counted in the last minute before a crash is forgotten: counters limit harm, they
 * keep no accounts.
 */
enum { FILE_MAX = 512 * 1024 * 1024, USED_RATES = ANVIL_RECIPIENTS_DAY + 1 };
static const char head[] = "# anvil accounts 1\n";

static bool has_counted(const struct counter *c)
{
	for (int i = 0; i < COUNTER_RATES; i++)
		if ((uint32_t)atomic_load(&c->rates[i]) > 0)
			return true;
	return false;
}

static void put_counter(struct str *out, const struct counter *c)
{
	for (int i = 0; i < USED_RATES; i++) {
		uint64_t rate = atomic_load(&c->rates[i]);

		str_printf(out, "%llu:%u ", (unsigned long long)(rate >> 32), (uint32_t)rate);
	}
	str_printf(out, "%.*s\n", COUNTER_KEY_SIZE - 1, c->key);
}

int accounts_save(struct counter_table *t, const char *path, struct err *err)
{
	char new_path[4096];
	struct str out = {0};
	struct counter *c;
	size_t cursor = 0;
	int fd, rc;

	if (snprintf(new_path, sizeof(new_path), "%s.new", path) >= (int)sizeof(new_path))
		return err_set(err, ENAMETOOLONG, "%s: the name is too long", path);
	str_put_text(&out, head);
	while ((c = counters_next(t, &cursor)))
		if (has_counted(c) && !strpbrk(c->key, "\r\n"))
			put_counter(&out, c);
	fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = fd >= 0 ? fd_write_all(fd, str_text(&out), out.len) : -1;
	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	str_fini(&out);
	if (rc < 0 || rename(new_path, path) < 0)
		return err_sys(err, "write %s", new_path);
	return 0;
}

static bool take_number(struct slice *line, char end, uint64_t max, uint64_t *out)
{
	const char *at = memchr(line->data, end, line->len);
	size_t len = at ? (size_t)(at - line->data) : 0;

	if (!at || len == 0 || !num_u64(line->data, len, max, out))
		return false;
	*line = slice_of(at + 1, line->len - len - 1);
	return true;
}

bool accounts_parse_line(struct slice line, char *key, uint64_t rates_out[COUNTER_RATES])
{
	memset(rates_out, 0, COUNTER_RATES * sizeof(*rates_out));
	for (int i = 0; i < USED_RATES; i++) {
		uint64_t start, count;

		if (!take_number(&line, ':', UINT32_MAX, &start) ||
		    !take_number(&line, ' ', UINT32_MAX, &count))
			return false;
		rates_out[i] = start << 32 | count;
	}
	if (line.len == 0 || line.len >= COUNTER_KEY_SIZE || memchr(line.data, '\0', line.len))
		return false;
	memcpy(key, line.data, line.len);
	key[line.len] = '\0';
	return true;
}

int accounts_load(struct counter_table *t, const char *path, struct err *err)
{
	uint64_t now = (uint64_t)clock_wall_us() / 1000000, rates[COUNTER_RATES];
	char key[COUNTER_KEY_SIZE];
	struct str text = {0};
	struct slice rest;
	struct err why = {0};
	int rc = fd_read_file(path, FILE_MAX, &text, &why);

	if (rc < 0 && why.code == ENOENT)
		rc = 0;
	if (rc < 0)
		err_set(err, why.code, "%s", why.text);
	rest = slice_of(str_text(&text), text.len);
	while (rest.len > 0) {
		const char *end = memchr(rest.data, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.data) : rest.len;
		struct slice line = slice_of(rest.data, len);
		struct counter *c;

		rest = slice_of(rest.data + len + (end != NULL), rest.len - len - (end != NULL));
		if (!end || !accounts_parse_line(line, key, rates))
			continue;
		c = counters_get(t, key, now);
		for (int i = 0; c && i < COUNTER_RATES; i++)
			atomic_store(&c->rates[i], rates[i]);
	}
	str_fini(&text);
	return rc;
}
