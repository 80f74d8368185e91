/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "commands/postconf/postconf.h"
#include "tests/unit/commands/postconf/suite.h"

static const char main_cf[] = "mydestination =  foo.example ,\n"
                              "\tbar   \n"
                              "  baz  \n"
                              "relayhost =\n"
                              "myhostname = h.$mydomain\n"
                              "mydomain = example.com\n"
                              "mynetworks = aaaaaaaaaa bbbbbbbbbb ccccccccccc dddddddddd "
                              "eeeeeeeeeeee fff gg hh i\n"
                              "smtp_tls_protocols = !SSLv2,!SSLv3,!TLSv1,!TLSv1.1,!TLSv1.1,"
                              "!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1\n"
                              "forward_path = $home/.forward\n";

static const struct {
	const char *name, *options, *text;
} cases[] = {
    {"mydestination", "", "mydestination = foo.example , bar baz\n"},
    {"mydestination", "h", "foo.example , bar baz\n"},
    {"mydestination", "H", "mydestination\n"},
    {"relayhost", "", "relayhost =\n"},
    {"relayhost", "h", "\n"},
    {"myhostname", "", "myhostname = h.$mydomain\n"},
    {"myhostname", "x", "myhostname = h.example.com\n"},
    {"forward_path", "x", "forward_path = $home/.forward\n"},
    {"mynetworks", "f",
        "mynetworks = aaaaaaaaaa bbbbbbbbbb ccccccccccc dddddddddd eeeeeeeeeeee fff gg hh\n"
        "    i\n"},
    {"smtp_tls_protocols", "f",
        "smtp_tls_protocols =\n"
        "    !SSLv2,!SSLv3,!TLSv1,!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1,!TLSv1.1"
        "\n"},
    {"max_idle", "", "max_idle = 100s\n"},
    {"max_idle", "n", ""},
    {"relayhost", "n", "relayhost =\n"},
    {"mydestination", "d", "mydestination = $myhostname, localhost.$mydomain, localhost\n"},
};

START_TEST(one_parameter)
{
	const char *options = cases[_i].options;
	struct postconf pc = {.classes = CLASS_ALL,
	    .fold = strchr(options, 'f') != NULL,
	    .no_names = strchr(options, 'h') != NULL,
	    .no_values = strchr(options, 'H') != NULL,
	    .expand = strchr(options, 'x') != NULL,
	    .set_only = strchr(options, 'n') != NULL,
	    .defaults = strchr(options, 'd') != NULL};
	char *name = strdup(cases[_i].name), *text = NULL;
	size_t len = 0;
	struct err err;

	pc.out = open_memstream(&text, &len);
	ck_assert_int_eq(
	    conf_load_text("/x", "main.cf", main_cf, strlen(main_cf), &pc.conf, &err), 0);
	pc.names = conf_names_new(pc.conf, all_tables, NULL);
	show_params(&pc, &name, 1);
	fclose(pc.out);
	ck_assert_str_eq(text, cases[_i].text);
	conf_names_free(&pc.names);
	conf_free(&pc.conf);
	free(text);
	free(name);
}
END_TEST

TCase *show_tcase(void)
{
	TCase *tcase = tcase_create("show");

	tcase_add_loop_test(tcase, one_parameter, 0, ARRAY_LEN(cases));
	return tcase;
}
