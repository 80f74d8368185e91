/* SPDX-License-Identifier: ISC */
#include "tests/unit/lib/route/fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char common[] = "compatibility_level = 3.6\n"
                             "myhostname = mx.example.com\n"
                             "mydomain = example.com\n"
                             "mydestination = $myhostname, localhost\n"
                             "inet_interfaces = 127.0.0.1\n"
                             "recipient_delimiter = +\n"
                             "alias_maps =\n";

void fixture_init(struct fixture *f, const char *main_cf)
{
	char dir[] = "/tmp/postern-route-XXXXXX", path[64];
	struct conf_report report = {0};
	struct err err = {0};
	FILE *out;

	*f = (struct fixture){0};
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/main.cf", dir);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(common, out);
	fputs(main_cf, out);
	fclose(out);
	ck_assert_msg(conf_load(dir, &f->conf, &err) == 0, "%s", err.text);
	unlink(path);
	rmdir(dir);
	ck_assert_msg(
	    conf_fill(f->conf, &core_params, &f->core, &report) == 0, "%s", str_text(&report.text));
	ck_assert_msg(conf_fill(f->conf, &route_params, &f->params, &report) == 0, "%s",
	    str_text(&report.text));
	conf_report_fini(&report);
	f->router = router_new(&f->core, &f->params);
}

void fixture_fini(struct fixture *f)
{
	router_free(&f->router);
	arena_fini(&f->arena);
	conf_free(&f->conf);
}
