/* SPDX-License-Identifier: ISC */
#include "lib/shape/map.h"

#include <errno.h>
#include <string.h>

#include "lib/base/attr.h"
#include "tests/unit/lib/shape/fixture.h"
#include "tests/unit/lib/shape/suite.h"

struct mapping_fixture {
	struct fixture f;
	struct map_params params;
	struct mapper *mapper;
};

static void begin(struct mapping_fixture *m, const char *main_cf)
{
	struct conf_report report = {0};

	fixture_init(&m->f, main_cf);
	ck_assert_msg(conf_fill(m->f.conf, &map_params, &m->params, &report) == 0, "%s",
	    str_text(&report.text));
	conf_report_fini(&report);
	m->mapper = mapper_open(&m->f.core, &m->params, m->f.ctx.router);
}

static void end(struct mapping_fixture *m)
{
	mapper_close(&m->mapper);
	fixture_fini(&m->f);
}

/* One address: the class, the settings, what it becomes (NULL: an error). */
static const struct {
	const char *conf;
	int what;
	const char *from, *to;
} singles[] = {
    {"", MAP_ENVELOPE_SENDER, "a@x.test", "a@x.test"},
    {"canonical_maps = inline:{a@x.test=b@y.test}", MAP_HEADER_SENDER, "a@x.test", "b@y.test"},
    {"canonical_maps = inline:{a@x.test=b@y.test}\ncanonical_classes = envelope_recipient",
        MAP_HEADER_SENDER, "a@x.test", "a@x.test"},
    {"canonical_maps = inline:{{a@x.test=a@y.test},{a@y.test=a@x.test}}", MAP_HEADER_SENDER,
        "a@x.test", NULL},
    {"canonical_maps = fail:1", MAP_HEADER_SENDER, "a@x.test", NULL},
    {"canonical_maps = fail:1", MAP_ENVELOPE_SENDER, "", ""},
    {"sender_canonical_maps = inline:{a@x.test=b@y.test}", MAP_ENVELOPE_RECIPIENT, "a@x.test",
        "a@x.test"},
    {"recipient_canonical_maps = inline:{@x.test=@y.test}", MAP_ENVELOPE_RECIPIENT, "a+e@x.test",
        "a+e@y.test"},
    {"masquerade_domains = x.test", MAP_ENVELOPE_SENDER, "a@h.x.test", "a@x.test"},
    {"masquerade_domains = x.test", MAP_ENVELOPE_RECIPIENT, "a@h.x.test", "a@h.x.test"},
    {"masquerade_domains = x.test", MAP_ENVELOPE_SENDER, "a@hx.test", "a@hx.test"},
    {"masquerade_domains = !h.x.test x.test", MAP_ENVELOPE_SENDER, "a@h.x.test", "a@h.x.test"},
    {"masquerade_domains = !h.x.test x.test", MAP_ENVELOPE_SENDER, "a@g.h.x.test", "a@g.h.x.test"},
    {"masquerade_domains = !!h.x.test x.test", MAP_ENVELOPE_SENDER, "a@g.h.x.test", "a@h.x.test"},
    {"masquerade_domains = x.test\nmasquerade_exceptions = root", MAP_ENVELOPE_SENDER,
        "Root@h.x.test", "Root@h.x.test"},
    {"masquerade_domains = x.test\nmasquerade_exceptions = fail:1", MAP_ENVELOPE_SENDER,
        "a@h.x.test", NULL},
};

START_TEST(single)
{
	struct mapping_fixture m;
	const char *to;
	struct err err;
	int rc;

	begin(&m, singles[_i].conf);
	rc = map_address(m.mapper, singles[_i].what, singles[_i].from, &m.f.arena, &to, &err);
	if (singles[_i].to) {
		ck_assert_msg(rc == 0, "%s", err.text);
		ck_assert_str_eq(to, singles[_i].to);
	} else {
		ck_assert_int_eq(rc, -1);
	}
	end(&m);
}
END_TEST

static void put_found(void *arg, const char *address)
{
	str_printf(arg, "%s ", address);
}

/* Aliases: what comes out, or the error's code. */
static const struct {
	const char *conf, *from, *to;
	int code;
} aliases[] = {
    {"", "a@x.test", "a@x.test ", 0},
    {"virtual_alias_maps = inline:{{a@x.test=b@y.test c@y.test},{c@y.test=d@y.test}}", "a@x.test",
        "b@y.test d@y.test ", 0},
    {"virtual_alias_maps = inline:{{a@x.test=a@x.test b@y.test}}", "a@x.test", "a@x.test b@y.test ",
        0},
    {"virtual_alias_maps = inline:{{a@x.test=b@x.test},{b@x.test=a@x.test}}", "a@x.test", NULL,
        E2BIG},
    {"virtual_alias_maps = inline:{{a@x.test=b@x.test},{b@x.test=c@x.test},{c@x.test=d@x.test}}\n"
     "virtual_alias_recursion_limit = 2",
        "a@x.test", NULL, E2BIG},
    {"virtual_alias_maps = inline:{{a@x.test=b@x c@x d@x}}\nvirtual_alias_expansion_limit = 2",
        "a@x.test", NULL, E2BIG},
    {"virtual_alias_maps = regexp:{{/^(a+)@x/ a$${1}@x}}\n"
     "virtual_alias_address_length_limit = 50",
        "a@x", NULL, E2BIG},
    /* each is two: the list grows up to the limit and no further */
    {"virtual_alias_maps = regexp:{{/^(.*)@x/ $${1}1@x $${1}2@x}}", "a@x", NULL, E2BIG},
    {"virtual_alias_maps = fail:1", "a@x.test", NULL, 0},
    {"virtual_alias_maps = inline:{{a@x.test=<>}}", "a@x.test", NULL, EINVAL},
};

START_TEST(expansion)
{
	struct mapping_fixture m;
	struct str found = {0};
	struct err err = {0};
	int rc;

	begin(&m, aliases[_i].conf);
	rc = map_aliases(m.mapper, aliases[_i].from, put_found, &found, &err);
	if (aliases[_i].to) {
		ck_assert_msg(rc == 0, "%s", err.text);
		ck_assert_str_eq(str_text(&found), aliases[_i].to);
	} else {
		ck_assert_int_eq(rc, -1);
		if (aliases[_i].code)
			ck_assert_int_eq(err.code, aliases[_i].code);
	}
	str_fini(&found);
	end(&m);
}
END_TEST

#define ALIASES "virtual_alias_maps = inline:{{a@x.test=b@y.test c@y.test}}\n"
#define BCC                                                            \
	"always_bcc = all\nsender_bcc_maps = inline:{s@z.test=sb@z}\n" \
	"recipient_bcc_maps = inline:{a@x.test=rb@z}\n"

/* The envelope: recipients given, and all that comes out ("address<orig/notify>transport"). */
static const struct {
	const char *conf;
	int flags;
	const char *sender, *rcpts[4];
	uint32_t notify;
	const char *out;
} envelopes[] = {
    {"", 0, "s@z.test", {"a@x.test"}, 0, "s@z.test: a@x.test</0>"},
    {"", 0, "s@z.test", {"a@x.test", "b@x.test", "A@x.test"}, 0,
        "s@z.test: a@x.test</0>smtp b@x.test</0>smtp"},
    {ALIASES, 0, "s@z.test", {"a@x.test", "d@x.test"}, 0,
        "s@z.test: b@y.test<a@x.test/0>smtp c@y.test<a@x.test/0>smtp d@x.test</0>smtp"},
    {ALIASES, MAP_NOTHING, "s@z.test", {"a@x.test"}, 0, "s@z.test: a@x.test</0>"},
    {ALIASES, 0, "s@z.test", {"a@x.test", "b@y.test"}, 0,
        "s@z.test: b@y.test<a@x.test/0>smtp c@y.test<a@x.test/0>smtp b@y.test</0>smtp"},
    {ALIASES "enable_original_recipient = no", 0, "s@z.test", {"a@x.test", "B@y.test"}, 0,
        "s@z.test: b@y.test<a@x.test/0>smtp c@y.test<a@x.test/0>smtp"},
    {ALIASES, 0, "s@z.test", {"a@x.test"}, NOTIFY_SUCCESS | NOTIFY_FAILURE,
        "s@z.test: a@x.test</2>error b@y.test<a@x.test/4>smtp c@y.test<a@x.test/4>smtp"},
    {ALIASES, 0, "s@z.test", {"a@x.test"}, NOTIFY_SUCCESS,
        "s@z.test: a@x.test</2>error b@y.test<a@x.test/1>smtp c@y.test<a@x.test/1>smtp"},
    {"duplicate_filter_limit = 1", 0, "s@z.test", {"a@x.test", "b@x.test", "b@x.test", "a@x.test"},
        0, "s@z.test: a@x.test</0>smtp b@x.test</0>smtp b@x.test</0>smtp"},
    {BCC, MAP_BCC, "s@z.test", {"a@x.test"}, 0,
        "s@z.test: a@x.test</0>smtp sb@z.example.com</1>smtp rb@z.example.com</1>smtp "
        "all@mx.example.com</1>local"},
    {BCC, 0, "s@z.test", {"a@x.test"}, 0, "s@z.test: a@x.test</0>"},
    {BCC, MAP_BCC, "", {"b@x.test"}, 0, ": b@x.test</0>smtp all@mx.example.com</1>local"},
    {"masquerade_domains = z.test\nsender_dependent_relayhost_maps = inline:{s@z.test=[other]}", 0,
        "s@h.z.test", {"a@x.test"}, 0, "s@z.test: a@x.test</0>smtp"},
    {"sender_bcc_maps = fail:1", MAP_BCC, "s@z.test", {"a@x.test"}, 0, NULL},
    {"recipient_bcc_maps = fail:1", MAP_BCC, "s@z.test", {"a@x.test"}, 0, NULL},
};

START_TEST(whole)
{
	struct mapping_fixture m;
	struct recipient rcpts[4];
	struct envelope env = {
	    .id = "X", .sender = envelopes[_i].sender, .sender_orig = "", .rcpts = rcpts};
	struct str out = {0};
	struct err err;
	int rc;

	begin(&m, envelopes[_i].conf);
	while (env.rcpt_count < 4 && envelopes[_i].rcpts[env.rcpt_count]) {
		rcpts[env.rcpt_count] =
		    (struct recipient){.address = envelopes[_i].rcpts[env.rcpt_count],
		        .orig = "",
		        .orcpt = "",
		        .transport = "",
		        .nexthop = "",
		        .notify = envelopes[_i].notify};
		env.rcpt_count++;
	}
	rc = map_envelope(m.mapper, &env, envelopes[_i].flags, &m.f.arena, &err);
	ck_assert_int_eq(rc, envelopes[_i].out ? 0 : -1);
	str_printf(&out, "%s:", env.sender);
	for (uint32_t i = 0; i < env.rcpt_count; i++)
		str_printf(&out, " %s<%s/%u>%s", env.rcpts[i].address, env.rcpts[i].orig,
		    (unsigned)env.rcpts[i].notify, env.rcpts[i].transport);
	if (envelopes[_i].out)
		ck_assert_str_eq(str_text(&out), envelopes[_i].out);
	str_fini(&out);
	end(&m);
}
END_TEST

TCase *map_tcase(void)
{
	TCase *tc = tcase_create("map");

	tcase_add_loop_test(tc, single, 0, (int)ARRAY_LEN(singles));
	tcase_add_loop_test(tc, expansion, 0, (int)ARRAY_LEN(aliases));
	tcase_add_loop_test(tc, whole, 0, (int)ARRAY_LEN(envelopes));
	return tc;
}
