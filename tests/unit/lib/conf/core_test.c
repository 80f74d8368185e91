/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf/catalogue.h"
#include "lib/conf/core.h"
#include "tests/unit/lib/conf/suite.h"

static struct core_params fill(struct conf **conf_out, const char *text)
{
	struct conf_report report = {0};
	struct core_params core;
	struct err err;

	ck_assert_int_eq(conf_load_text("/x", "main.cf", text, strlen(text), conf_out, &err), 0);
	ck_assert_msg(
	    conf_fill(*conf_out, &core_params, &core, &report) == 0, "%s", str_text(&report.text));
	conf_report_fini(&report);
	return core;
}

START_TEST(plain_defaults)
{
	struct conf *conf;
	struct core_params core = fill(&conf, "");

	ck_assert_str_eq(core.queue_directory, "/var/spool/postfix");
	ck_assert_str_eq(core.syslog_name, "postfix");
	ck_assert_str_eq(core.mail_owner, "postfix");
	ck_assert_int_eq(core.default_process_limit, 100);
	ck_assert_int_eq(core.daemon_timeout, 18000);
	ck_assert_int_eq(core.message_size_limit, 10240000);
	ck_assert_ptr_nonnull(strchr(core.myhostname, '.'));
	ck_assert_str_ne(core.mydomain, "");
	ck_assert_ptr_nonnull(strstr(core.mynetworks, "127.0.0."));
	conf_free(&conf);
}
END_TEST

static const struct {
	const char *main_cf, *host, *domain;
} names[] = {
    {"myhostname = a.b.c\n", "a.b.c", "b.c"},
    {"myhostname = foo.com\n", "foo.com", "com"},
    {"myhostname = foo\n", "foo", "localdomain"},
    {"myhostname = mail.$mydomain\nmydomain = example.org\n", "mail.example.org", "example.org"},
    {"myhostname = mail.$mydomain\n", "mail.localdomain", "localdomain"},
};

START_TEST(host_and_domain)
{
	struct conf *conf;
	struct core_params core = fill(&conf, names[_i].main_cf);

	ck_assert_str_eq(core.myhostname, names[_i].host);
	ck_assert_str_eq(core.mydomain, names[_i].domain);
	conf_free(&conf);
}
END_TEST

START_TEST(host_completed_with_domain)
{
	struct conf *conf;
	struct core_params core = fill(&conf, "mydomain = example.org\n");
	char host[256];

	ck_assert_int_eq(gethostname(host, sizeof(host)), 0);
	if (!strchr(host, '.'))
		ck_assert_ptr_nonnull(strstr(core.myhostname, ".example.org"));
	conf_free(&conf);
}
END_TEST

START_TEST(networks_follow_interfaces)
{
	struct conf *conf;
	struct core_params core =
	    fill(&conf, "mynetworks_style = host\ninet_interfaces = loopback-only\n"
	                "inet_protocols = ipv4\n");

	ck_assert_str_eq(core.mynetworks, "127.0.0.1/32");
	conf_set(conf, "mynetworks_style", "subnet", "-o");
	ck_assert_str_eq(conf_get(conf, "mynetworks"), "127.0.0.0/8");
	conf_set(conf, "inet_interfaces", "127.0.0.1", "-o");
	conf_set(conf, "mynetworks_style", "host", "-o");
	ck_assert_str_eq(conf_get(conf, "mynetworks"), "127.0.0.1/32");
	conf_free(&conf);
}
END_TEST

START_TEST(origin_from_a_file)
{
	char path[] = "/tmp/conf-test-XXXXXX", text[100];
	int fd = mkstemp(path);
	struct conf *conf;
	struct core_params core;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, " mail.example.net \nx\n", 21), 21);
	close(fd);
	snprintf(text, sizeof(text), "myorigin = %s\n", path);
	core = fill(&conf, text);
	unlink(path);
	ck_assert_str_eq(core.myorigin, "mail.example.net");
	conf_free(&conf);
}
END_TEST

START_TEST(catalogue_is_sorted)
{
	for (size_t i = 0; i < catalogue_count; i++) {
		if (i > 0)
			ck_assert_str_lt(catalogue_rows[i - 1].name, catalogue_rows[i].name);
		ck_assert_ptr_eq(catalogue_find(catalogue_rows[i].name), &catalogue_rows[i]);
	}
	ck_assert_ptr_null(catalogue_find(""));
	ck_assert_ptr_null(catalogue_find("zzz"));
	ck_assert_uint_gt(catalogue_count, 830);
}
END_TEST

/* Every default expands, at the oldest and the newest compatibility level. */
START_TEST(catalogue_expands)
{
	struct conf *conf;
	struct err err;
	const char *text = _i ? "compatibility_level = 3.11\n" : "";

	ck_assert_int_eq(conf_load_text("/x", "main.cf", text, strlen(text), &conf, &err), 0);
	for (size_t i = 0; i < catalogue_count; i++) {
		struct str out = {0};

		if (strstr(catalogue_rows[i].name, "d_expansion_filter") ||
		    strstr(catalogue_rows[i].name, "n_expansion_filter"))
			continue; /* never expanded: a set of characters, '$' among them */
		ck_assert_msg(
		    conf_expand(conf, conf_default(conf, catalogue_rows[i].name), &out, &err) == 0,
		    "%s: %s", catalogue_rows[i].name, err.text);
		str_fini(&out);
	}
	conf_free(&conf);
}
END_TEST

TCase *core_tcase(void)
{
	TCase *tcase = tcase_create("core");

	tcase_add_test(tcase, plain_defaults);
	tcase_add_loop_test(tcase, host_and_domain, 0, ARRAY_LEN(names));
	tcase_add_test(tcase, host_completed_with_domain);
	tcase_add_test(tcase, networks_follow_interfaces);
	tcase_add_test(tcase, origin_from_a_file);
	tcase_add_test(tcase, catalogue_is_sorted);
	tcase_add_loop_test(tcase, catalogue_expands, 0, 2);
	return tcase;
}
