/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/base/attr.h"
#include "local/expand.h"

static const char mail[] = "Subject: x\r\n\r\nbody\r\n";

/* Users that every system has: root, daemon, bin. */
static const char aliases[] =
    "recipient_delimiter = +\n"
    "alias_maps = inline:{\n"
    " {postmaster = root}, {chain1 = chain2}, {chain2 = chain3}, {chain3 = daemon},\n"
    " {loop1 = loop2}, {loop2 = loop1}, {self = self, other@example.net},\n"
    " {daemon = daemon, copy@example.net},\n"
    " {two = a@example.net, b@example.net, a@example.net},\n"
    " {list = daemon, bin}, {owner-list = boss@example.net},\n"
    " {owned1 = bin}, {owner-owned1 = boss},\n"
    " {cmd = \"|prog x\", /var/log/file}, {hole = /dev/null},\n"
    " {inc = :include:@/list}, {noinc = :include:@/absent},\n"
    " {bad = <oops@}, {tocmd = :include:@/cmds}, {empty = :include:@/empty},\n"
    " {back = \\bin}, {plus+x = bin}, {plus = daemon@example.com} }\n";

/* Targets as "M user", "C command", "F file", "> address"; a failure as its status and text. */
static const struct {
	const char *recipient, *want;
} cases[] = {
    {"bin@example.com", "M bin"},
    {"BIN@example.com", "M bin"},
    {"bin+ext@example.com", "M bin"},
    {"nosuchuser@example.com", "5.1.1 unknown user: \"nosuchuser\""},
    {"nosuchuser+x@example.com", "5.1.1 unknown user: \"nosuchuser\""},
    {"../etc/passwd@example.com", "5.1.1 unknown user: \"../etc/passwd\""},
    {"chain1@example.com", "M daemon, > copy@example.net"},
    {"daemon@example.com", "M daemon, > copy@example.net"},
    {"loop1@example.com", "5.4.6 possible alias database loop for loop1@mail.example.com"},
    {"self@example.com",
        "> other@example.net, 5.4.6 possible alias database loop for self@mail.example.com"},
    {"two@example.com", "> a@example.net, > b@example.net"},
    {"list@example.com", "> daemon@mail.example.com, > bin@mail.example.com"},
    {"owned1@example.com", "> bin@mail.example.com"},
    {"cmd@example.com", "C prog x, F /var/log/file"},
    {"hole@example.com", "F /dev/null"},
    {"inc@example.com", "> one@example.net, > two@example.net"},
    {"noinc@example.com", "4.2.4 cannot read :include: file"},
    {"bad@example.com", "4.3.5 alias of bad@example.com: malformed address"},
    {"tocmd@example.com", "> x@example.net, 5.7.1 mail to command is restricted"},
    {"empty@example.com", ""},
    {"back@example.com", "M bin"},
    {"plus+x@example.com", "M bin"},
    {"plus+y@example.com", "M daemon, > copy@example.net"},
    {"\\daemon@example.com", "M daemon"},
};

static void print(struct str *out, const struct expansion *x)
{
	for (size_t i = 0; i < x->count; i++)
		str_printf(out, "%s%c %s", i ? ", " : "", "MCF>"[x->targets[i].kind],
		    x -> targets[i].text);
	if (x->failed)
		str_printf(out, "%s%s %s", x->count ? ", " : "", x->failure.dsn, x->failure.text);
}

START_TEST(expand)
{
	struct fixture f;
	struct expansion x;
	struct str got = {0};

	fixture_open(&f, aliases, cases[_i].recipient, mail);
	fixture_write(&f, "list", "# members\none@example.net\ntwo@example.net\n");
	fixture_write(&f, "cmds", "x@example.net\n|rm\n");
	fixture_write(&f, "empty", "# nobody\n");
	expansion_init(&x, &f.d);
	expansion_run(&x);
	print(&got, &x);
	/* The wanted text may be the beginning of a longer reason. */
	str_cut(&got, MIN(got.len, strlen(cases[_i].want)));
	ck_assert_str_eq(str_text(&got), cases[_i].want);
	expansion_fini(&x);
	str_fini(&got);
	fixture_close(&f);
}
END_TEST

START_TEST(owner_becomes_sender)
{
	struct fixture f;
	struct expansion x;

	fixture_open(&f, aliases, "list@example.com", mail);
	expansion_init(&x, &f.d);
	expansion_run(&x);
	ck_assert_str_eq(f.d.sender, "owner-list@mail.example.com");
	expansion_fini(&x);
	f.d.sender = ""; /* notices keep the null sender */
	expansion_init(&x, &f.d);
	expansion_run(&x);
	ck_assert_str_eq(f.d.sender, "");
	expansion_fini(&x);
	fixture_close(&f);
}
END_TEST

START_TEST(dead_table_waits)
{
	struct fixture f;
	struct expansion x;

	fixture_open(&f, "alias_maps = inline:{a=b}, fail:broken\n", "bin@example.com", mail);
	expansion_init(&x, &f.d);
	expansion_run(&x);
	ck_assert(x.failed);
	ck_assert_int_eq(x.failure.outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(x.failure.text, "alias database unavailable");
	expansion_fini(&x);
	fixture_close(&f);
}
END_TEST

START_TEST(huge_include)
{
	enum { COUNT = 50000 };
	struct fixture f;
	struct expansion x;
	struct str list = {0};

	fixture_open(&f, aliases, "inc@example.com", mail);
	for (int i = 0; i < COUNT; i++)
		str_printf(&list, "user%d@example.net\n", i);
	fixture_write(&f, "list", str_text(&list));
	expansion_init(&x, &f.d);
	expansion_run(&x);
	ck_assert_uint_eq(x.count, COUNT);
	expansion_fini(&x);
	str_fini(&list);
	fixture_close(&f);
}
END_TEST

/* .forward of the user that runs the test. */
static const struct {
	const char *text;
	int mode;
	const char *want; /* $ME: the user */
} forwards[] = {
    {"other@example.net\n", 0644, "> other@example.net"},
    {"\\$ME, other@example.net\n", 0644, "M $ME, > other@example.net"},
    {"$ME\nother@example.net\n", 0644, "M $ME, > other@example.net"},
    {"$ME@example.com, other@example.net\n", 0644, "M $ME, > other@example.net"},
    {"$ME\n", 0644, "M $ME"},
    {"", 0644, "M $ME"},
    {"# nothing\n\n", 0644, "M $ME"},
    {"other@example.net\n", 0666, "M $ME"},
    {"<oops@\n", 0644, "4.3.5 forward of"},
};

static void with_name(struct str *out, const char *text, const char *name)
{
	for (const char *at; (at = strstr(text, "$ME")); text = at + 3) {
		str_put(out, text, (size_t)(at - text));
		str_put_text(out, name);
	}
	str_put_text(out, text);
}

START_TEST(forward_file)
{
	struct fixture f;
	struct expansion x;
	struct str got = {0}, want = {0}, text = {0};
	const char *path;

	fixture_open(&f, "", "x@example.com", mail);
	path = arena_printf(&f.arena, "forward/%s", f.user.name);
	with_name(&text, forwards[_i].text, f.user.name);
	with_name(&want, forwards[_i].want, f.user.name);
	fixture_write(&f, path, str_text(&text));
	chmod(fixture_path(&f, path), (mode_t)forwards[_i].mode);
	local_look_at(&f.d, arena_printf(&f.arena, "%s@example.com", f.user.name));
	expansion_init(&x, &f.d);
	expansion_run(&x);
	print(&got, &x);
	str_cut(&got, MIN(got.len, want.len));
	ck_assert_str_eq(str_text(&got), str_text(&want));
	expansion_fini(&x);
	str_fini(&got);
	str_fini(&want);
	str_fini(&text);
	fixture_close(&f);
}
END_TEST

/* A .forward that is there and cannot be read holds the mail; a folder in its place too. */
START_TEST(unreadable_forward)
{
	struct fixture f;
	struct expansion x;
	const char *path;

	fixture_open(&f, "", "x@example.com", mail);
	path = fixture_path(&f, arena_printf(&f.arena, "forward/%s", f.user.name));
	if (identity_is_root())
		ck_assert_int_eq(symlink("loop", path), 0); /* root reads everything else */
	else
		fixture_write(&f, arena_printf(&f.arena, "forward/%s", f.user.name), "x\n");
	chmod(path, 0);
	local_look_at(&f.d, arena_printf(&f.arena, "%s@example.com", f.user.name));
	expansion_init(&x, &f.d);
	expansion_run(&x);
	ck_assert(x.failed);
	ck_assert_int_eq(x.failure.outcome, OUTCOME_DEFERRED);
	ck_assert_ptr_nonnull(strstr(x.failure.text, "cannot open file"));
	expansion_fini(&x);
	fixture_close(&f);
}
END_TEST

TCase *expand_tcase(void)
{
	TCase *tcase = tcase_create("expand");

	tcase_add_loop_test(tcase, expand, 0, ARRAY_LEN(cases));
	tcase_add_test(tcase, owner_becomes_sender);
	tcase_add_test(tcase, dead_table_waits);
	tcase_add_test(tcase, huge_include);
	tcase_add_loop_test(tcase, forward_file, 0, ARRAY_LEN(forwards));
	tcase_add_test(tcase, unreadable_forward);
	tcase_set_timeout(tcase, 30);
	return tcase;
}
