/* SPDX-License-Identifier: ISC */
#include "fixture.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/clock.h"

struct queue_params fixture_params = {2, 65536, 20000, "deferred, defer", 1};
static char folder[] = "/tmp/postern-queue.XXXXXX";

void fixture_setup(void)
{
	static const char *const dirs[] = {
	    "active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "journal"};

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0700), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void fixture_teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct queue *fixture_queue(void)
{
	struct queue *queue;
	struct err err;

	ck_assert_msg(queue_open(&fixture_params, false, &queue, &err) == 0, "%s", err.text);
	return queue;
}

static void content_of(struct str *out, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		str_printf(out, "line %u of %u of a message that is looked at\r\n", i, lines);
}

struct sent fixture_send(struct queue *queue, unsigned lines, uint32_t rcpts)
{
	struct recipient *list = alloc_zero(rcpts, sizeof(*list));
	char(*names)[32] = alloc_zero(rcpts, sizeof(*names));
	struct envelope env = {.sender = "me@example.com", .rcpts = list, .rcpt_count = rcpts};
	struct str content = {0};
	struct queue_writer *w;
	struct sent sent;
	struct err err;

	for (uint32_t i = 0; i < rcpts; i++) {
		snprintf(names[i], sizeof(names[i]), "r%u@example.org", i);
		list[i] = (struct recipient){.address = names[i], .transport = "smtp"};
	}
	queue_new_id(queue, sent.id);
	env.id = sent.id;
	env.arrival_us = (uint64_t)clock_wall_us();
	content_of(&content, lines);
	w = queue_writer_new(queue, sent.id);
	ck_assert_int_eq(queue_writer_put(w, content.data, content.len, &err), 0);
	ck_assert_uint_eq(queue_writer_size(w), content.len);
	ck_assert_msg(queue_writer_commit(&w, &env, false, &sent.loc, &err) == 0, "%s", err.text);
	str_fini(&content);
	free(list);
	free(names);
	return sent;
}

void fixture_check(struct queue *queue, const struct sent *sent, unsigned lines)
{
	struct str want = {0};
	struct message m;
	struct err err = {0};
	char *have;
	int rc =
	    message_open(queue, &sent->loc, sent->id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m, &err);

	ck_assert_msg(rc == 0, "%s: %d %s", sent->id, rc, err.text);
	content_of(&want, lines);
	ck_assert_uint_eq(m.content_len, want.len);
	have = alloc(want.len);
	ck_assert_int_eq(pread(m.fd, have, want.len, (off_t)m.content_at), want.len);
	ck_assert_mem_eq(have, want.data, want.len);
	free(have);
	str_fini(&want);
	message_close(&m);
}

void fixture_finish(struct queue *queue, const struct sent *sent)
{
	struct err err = {0};

	ck_assert_msg(message_finish(queue, &sent->loc, sent->id, &err) == 0, "%s", err.text);
}

static bool note(void *arg, const struct scan_item *item)
{
	struct found *found = arg;

	ck_assert_uint_lt(found->count, 256);
	strcpy(found->ids[found->count], item->id);
	found->locs[found->count++] = item->loc;
	return true;
}

size_t fixture_scan_journal(struct queue *queue, struct found *found)
{
	struct err err = {0};

	found->count = 0;
	ck_assert_msg(
	    queue_scan_journal(queue, MESSAGE_ENVELOPE | MESSAGE_CONTENT, note, found, &err) == 0,
	    "%s", err.text);
	return found->count;
}

size_t fixture_scan_dir(struct queue *queue, const char *dir, struct found *found)
{
	struct err err = {0};

	found->count = 0;
	ck_assert_msg(queue_scan_dir(queue, dir, 0, note, found, &err) == 0, "%s", err.text);
	return found->count;
}

size_t fixture_files(const char *dir)
{
	DIR *handle = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(handle);
	while ((entry = readdir(handle)))
		n += entry->d_name[0] != '.';
	closedir(handle);
	return n;
}

void fixture_damage(const char *path, long at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	if (len == 0)
		ck_assert_int_eq(ftruncate(fd, at), 0);
	else
		ck_assert_int_eq(pwrite(fd, bytes, len, at), len);
	close(fd);
}
