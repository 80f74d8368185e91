/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "lib/base/attr.h"

static const char mail[] = "Subject: x\r\n\r\nFrom here\r\nbye\r\n";

static void limit_file_size(rlim_t size)
{
	struct rlimit limit = {size, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(mbox_appends)
{
	struct fixture f;
	struct verdict v = {0};
	const char *path, *text, *second;
	struct stat st;

	fixture_open(&f, "", "joe@example.com", mail);
	path = fixture_path(&f, "mail/joe");
	mbox_deliver(&f.d, path, &f.user, true, &v);
	ck_assert_msg(v.outcome == OUTCOME_SENT, "%s", v.text);
	ck_assert_str_eq(v.text, "delivered to mailbox");
	mbox_deliver(&f.d, path, &f.user, true, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_SENT);
	text = fixture_read(&f, "mail/joe");
	ck_assert_int_eq(strncmp(text, "From sender@example.net  ", 25), 0);
	ck_assert_ptr_nonnull(strstr(text, "Return-Path: <sender@example.net>\n"
	                                   "X-Original-To: joe@example.com\n"
	                                   "Delivered-To: joe@example.com\n"
	                                   "Subject: x\n\n>From here\nbye\n\n"));
	second = strstr(text + 1, "\n\nFrom sender@example.net  ");
	ck_assert_ptr_nonnull(second);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(access(fixture_path(&f, "mail/joe.lock"), F_OK), -1);
	fixture_close(&f);
}
END_TEST

START_TEST(mbox_is_cut_back)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "", "joe@example.com", mail);
	fixture_write(&f, "mail/joe", "From old  x\n\nold\n\n");
	limit_file_size(60);
	mbox_deliver(&f.d, fixture_path(&f, "mail/joe"), &f.user, true, &v);
	limit_file_size(RLIM_INFINITY);
	ck_assert_int_eq(v.outcome, OUTCOME_BOUNCED);
	ck_assert_str_eq(v.dsn, "5.2.2");
	ck_assert_ptr_nonnull(strstr(v.text, "error writing message: File too large"));
	ck_assert_str_eq(fixture_read(&f, "mail/joe"), "From old  x\n\nold\n\n");
	ck_assert_int_eq(access(fixture_path(&f, "mail/joe.lock"), F_OK), -1);
	fixture_close(&f);
}
END_TEST

START_TEST(mbox_size_limit)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "mailbox_size_limit = 100\n", "joe@example.com", mail);
	fixture_write(&f, "mail/joe", "old\n");
	mbox_deliver(&f.d, fixture_path(&f, "mail/joe"), &f.user, true, &v);
	ck_assert_str_eq(v.dsn, "5.2.2");
	ck_assert_str_eq(fixture_read(&f, "mail/joe"), "old\n");
	fixture_close(&f);
}
END_TEST

START_TEST(mbox_locked)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "deliver_lock_attempts = 1\n", "joe@example.com", mail);
	fixture_write(&f, "mail/joe.lock", "");
	mbox_deliver(&f.d, fixture_path(&f, "mail/joe"), &f.user, true, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	ck_assert_ptr_nonnull(strstr(v.text, "unable to create lock file"));
	ck_assert_int_eq(access(fixture_path(&f, "mail/joe.lock"), F_OK), 0);
	ck_assert_str_eq(fixture_read(&f, "mail/joe"), "");
	fixture_close(&f);
}
END_TEST

START_TEST(mbox_is_no_link_and_no_folder)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "", "joe@example.com", mail);
	ck_assert_int_eq(symlink("/etc/passwd", fixture_path(&f, "mail/link")), 0);
	mbox_deliver(&f.d, fixture_path(&f, "mail/link"), &f.user, true, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	mbox_deliver(&f.d, fixture_path(&f, "mail"), &f.user, false, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	fixture_write(&f, "mail/a", "");
	ck_assert_int_eq(link(fixture_path(&f, "mail/a"), fixture_path(&f, "mail/b")), 0);
	mbox_deliver(&f.d, fixture_path(&f, "mail/b"), &f.user, true, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	ck_assert_str_eq(fixture_read(&f, "mail/a"), "");
	fixture_close(&f);
}
END_TEST

/* The one file of a folder, or NULL; ck_abort on more. */
static const char *only_file(struct fixture *f, const char *folder)
{
	DIR *dir = opendir(fixture_path(f, folder));
	const char *name = NULL;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		ck_assert_ptr_null(name);
		name = arena_strdup(&f->arena, e->d_name);
	}
	if (dir)
		closedir(dir);
	return name;
}

START_TEST(maildir_stores)
{
	struct fixture f;
	struct verdict v = {0};
	const char *name;
	struct stat st;

	fixture_open(&f, "", "joe@example.com", mail);
	maildir_deliver(&f.d, fixture_path(&f, "home/deep/Maildir/"), &f.user, false, &v);
	ck_assert_msg(v.outcome == OUTCOME_SENT, "%s", v.text);
	ck_assert_str_eq(v.text, "delivered to maildir");
	ck_assert_ptr_null(only_file(&f, "home/deep/Maildir/tmp"));
	name = only_file(&f, "home/deep/Maildir/new");
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(fixture_read(&f, arena_printf(&f.arena, "home/deep/Maildir/new/%s", name)),
	    "Return-Path: <sender@example.net>\nX-Original-To: joe@example.com\n"
	    "Delivered-To: joe@example.com\nSubject: x\n\nFrom here\nbye\n");
	ck_assert_int_eq(stat(fixture_path(&f, "home/deep/Maildir/cur"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0700);
	fixture_close(&f);
}
END_TEST

START_TEST(maildir_leaves_nothing_half)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "", "joe@example.com", mail);
	limit_file_size(50);
	maildir_deliver(&f.d, fixture_path(&f, "M/"), &f.user, false, &v);
	limit_file_size(RLIM_INFINITY);
	ck_assert_int_eq(v.outcome, OUTCOME_BOUNCED);
	ck_assert_ptr_nonnull(strstr(v.text, "maildir delivery failed: error writing message"));
	ck_assert_ptr_null(only_file(&f, "M/tmp"));
	ck_assert_ptr_null(only_file(&f, "M/new"));
	fixture_close(&f);
}
END_TEST

START_TEST(maildir_below_a_file_waits)
{
	struct fixture f;
	struct verdict v = {0};

	fixture_open(&f, "", "joe@example.com", mail);
	fixture_write(&f, "M", "");
	maildir_deliver(&f.d, fixture_path(&f, "M/"), &f.user, false, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	fixture_close(&f);
}
END_TEST

/* As root: the files are the user's, and root's own files are out of reach. */
START_TEST(rights_of_the_user)
{
	struct fixture f;
	struct verdict v = {0};
	struct local_user nobody;
	struct stat st;
	struct err err;

	if (!identity_is_root())
		return;
	fixture_open(&f, "", "joe@example.com", mail);
	ck_assert_int_eq(identity_find("nobody", &f.arena, &nobody, &err), 1);
	mbox_deliver(&f.d, fixture_path(&f, "mail/nobody"), &nobody, true, &v);
	ck_assert_msg(v.outcome == OUTCOME_SENT, "%s", v.text);
	ck_assert_int_eq(stat(fixture_path(&f, "mail/nobody"), &st), 0);
	ck_assert_uint_eq(st.st_uid, nobody.uid);
	maildir_deliver(&f.d, fixture_path(&f, "mail/nobody2/"), &nobody, true, &v);
	ck_assert_msg(v.outcome == OUTCOME_SENT, "%s", v.text);
	ck_assert_int_eq(stat(fixture_path(&f, "mail/nobody2/new"), &st), 0);
	ck_assert_uint_eq(st.st_uid, nobody.uid);
	fixture_write(&f, "mail/roots", "");
	chmod(fixture_path(&f, "mail/roots"), 0600);
	mbox_deliver(&f.d, fixture_path(&f, "mail/roots"), &nobody, true, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	maildir_deliver(&f.d, fixture_path(&f, "elsewhere/"), &nobody, false, &v);
	ck_assert_int_eq(v.outcome, OUTCOME_DEFERRED);
	ck_assert_uint_eq(geteuid(), 0);
	fixture_close(&f);
}
END_TEST

TCase *store_tcase(void)
{
	TCase *tcase = tcase_create("store");

	tcase_add_test(tcase, mbox_appends);
	tcase_add_test(tcase, mbox_is_cut_back);
	tcase_add_test(tcase, mbox_size_limit);
	tcase_add_test(tcase, mbox_locked);
	tcase_add_test(tcase, mbox_is_no_link_and_no_folder);
	tcase_add_test(tcase, maildir_stores);
	tcase_add_test(tcase, maildir_leaves_nothing_half);
	tcase_add_test(tcase, maildir_below_a_file_waits);
	tcase_add_test(tcase, rights_of_the_user);
	return tcase;
}
