/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/shape/fixture.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

static const char common[] = "compatibility_level = 3.6\n"
                             "myhostname = mx.example.com\n"
                             "mydomain = example.com\n"
                             "append_dot_mydomain = yes\n"
                             "journal_lane_size = 1048576\n"
                             "alias_maps =\n"
                             "local_recipient_maps =\n";

static void fill(struct fixture *f, const struct conf_table *table, void *out)
{
	struct conf_report report = {0};

	ck_assert_msg(conf_fill(f->conf, table, out, &report) == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
}

static void load(struct fixture *f, const char *main_cf)
{
	FILE *out = fopen("main.cf", "w");
	struct err err = {0};

	ck_assert_ptr_nonnull(out);
	fputs(common, out);
	fputs(main_cf, out);
	fclose(out);
	ck_assert_msg(conf_load(f->dir, &f->conf, &err) == 0, "%s", err.text);
	fill(f, &core_params, &f->core);
	fill(f, &route_params, &f->route);
	fill(f, &queue_params, &f->queue_params);
	fill(f, &shape_params, &f->params);
}

void fixture_init(struct fixture *f, const char *main_cf)
{
	struct err err = {0};
	size_t i;

	log_open(LOG_TO_FD, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
	*f = (struct fixture){.dir = "/tmp/postern-shape-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	ck_assert_int_eq(chdir(f->dir), 0);
	for (i = 0; i < queue_dir_count; i++)
		mkdir(queue_dirs[i].name, 0700);
	load(f, main_cf);
	ck_assert_msg(queue_open(&f->queue_params, false, &f->queue, &err) == 0, "%s", err.text);
	f->ctx = (struct shape_context){
	    .core = &f->core,
	    .params = &f->params,
	    .router = router_new(&f->core, &f->route),
	    .queue = f->queue,
	    .arena = &f->arena,
	};
}

static int remove_one(
    const char *path, const struct stat *st UNUSED, int flag UNUSED, struct FTW *ftw UNUSED)
{
	return remove(path);
}

void fixture_fini(struct fixture *f)
{
	router_free(&f->ctx.router);
	queue_close(&f->queue);
	conf_free(&f->conf);
	arena_fini(&f->arena);
	str_fini(&f->content);
	if (chdir("/") == 0)
		nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void read_back(struct fixture *f, uint64_t content_len)
{
	struct message m;
	struct err err = {0};

	ck_assert_msg(message_open(f->queue, &f->loc, f->id, MESSAGE_ENVELOPE | MESSAGE_CONTENT, &m,
	                  &err) == 0,
	    "%s", err.text);
	ck_assert_uint_eq(m.content_len, content_len);
	ck_assert_str_eq(m.env.message_id, f->env.message_id);
	str_clear(&f->content);
	str_reserve(&f->content, content_len);
	ck_assert_int_eq(
	    pread(m.fd, f->content.data, content_len, (off_t)m.content_at), (ssize_t)content_len);
	f->content.len = content_len;
	f->content.data[content_len] = '\0';
	message_close(&m);
}

enum shape_result fixture_shape(struct fixture *f, const char *sender, const char *trace,
    const char *data, size_t len, size_t piece)
{
	static const struct recipient rcpt = {.address = "r@x.y",
	    .orig = "",
	    .orcpt = "",
	    .transport = "smtp",
	    .nexthop = "x.y",
	    .status = RCPT_TODO};
	enum shape_result result;
	struct shaper *s;
	uint64_t content_len = 0;
	size_t at;

	queue_new_id(f->queue, f->id);
	s = shape_begin(&f->ctx, f->id, sender, trace);
	for (at = 0; at < len; at += piece)
		shape_put(s, data + at, MIN(piece, len - at));
	ck_assert_uint_eq(shape_size(s), len);
	f->env = (struct envelope){.id = f->id,
	    .sender = sender,
	    .sender_orig = "",
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .envid = "",
	    .ret = "",
	    .message_id = "",
	    .filter = "",
	    .attributes = "",
	    .rcpts = &rcpt,
	    .rcpt_count = 1};
	result = shape_end(&s, &f->env, &f->loc, &content_len, &f->err);
	ck_assert_ptr_null(s);
	if (result == SHAPE_OK)
		read_back(f, content_len);
	return result;
}
