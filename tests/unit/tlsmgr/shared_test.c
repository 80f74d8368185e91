/* SPDX-License-Identifier: ISC */
/* Two servers' ends and tlsmgr itself, in a child process. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/secure/shared.h"
#include "lib/sys/clock.h"
#include "suite.h"
#include "tlsmgr/tlsmgr.h"

static char folder[] = "/tmp/postern-test-XXXXXX", name[64];
static pid_t child;
static struct secure_params params;

struct listener {
	struct watch watch;
	struct frame_server *server;
};

static void came(struct watch *watch, int events UNUSED)
{
	struct listener *l = CONTAINER_OF(watch, struct listener, watch);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		frame_server_accept(l->server, fd);
}

static void serve(int listening)
{
	static struct tlsmgr manager = {.tickets = {.lifetime_s = 100}};
	static struct frame_server server = {
	    .name = "test", .stall_ms = 20000, .take = tlsmgr_take_frame, .arg = &manager};
	static struct listener listener = {.watch = {.ready = came}, .server = &server};

	manager.caches[TLSMGR_SMTPD].name = "smtpd";
	sessions_open(&manager.caches[TLSMGR_SMTPD], name, 100, 1 << 20);
	server.loop = loop_new();
	watch_start(server.loop, &listener.watch, listening, LOOP_READ);
	alarm(120);
	loop_run(server.loop);
}

static void setup(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/postern-test-XXXXXX")));
	snprintf(name, sizeof(name), "lmdb:%s/s", folder);
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(mkdir("private", 0700), 0);
	strcpy(sun.sun_path, "private/tlsmgr");
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listening, 5), 0);
	child = fork();
	if (child == 0) {
		serve(listening);
		_exit(0);
	}
	close(listening);
	params = (struct secure_params){.tlsmgr_service_name = "tlsmgr"};
	params.sessions[TLSMGR_SMTPD].database = name;
	params.sessions[TLSMGR_SMTPD].timeout = 100;
}

static void end_child(void)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	child = 0;
}

static void teardown(void)
{
	end_child();
	unlink("private/tlsmgr");
	rmdir("private");
	unlink("s.lmdb");
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(folder);
}

static struct secure_shared *open_end(struct tls_server_hooks *hooks)
{
	struct secure_shared *s = secure_shared_new(&params, TLSMGR_SMTPD, 20000);

	*hooks = (struct tls_server_hooks){0};
	secure_shared_hooks(s, hooks);
	return s;
}

START_TEST(two_servers_have_one_key)
{
	struct tls_server_hooks a, b;
	struct secure_shared *one = open_end(&a), *two = open_end(&b);
	struct tls_ticket_key key, again, named;

	ck_assert_int_eq(a.ticket_key(a.arg, NULL, &key), 1);
	ck_assert_int_eq(b.ticket_key(b.arg, NULL, &again), 1);
	ck_assert_mem_eq(key.name, again.name, sizeof(key.name));
	ck_assert_mem_eq(key.cipher_key, again.cipher_key, sizeof(key.cipher_key));
	ck_assert_mem_eq(key.mac_key, again.mac_key, sizeof(key.mac_key));
	/* from whole seconds of two clocks */
	ck_assert_int_le(llabs(key.current_until_s - again.current_until_s), 1);
	ck_assert_mem_ne(key.cipher_key, key.mac_key, sizeof(key.mac_key));
	/* known keys need no tlsmgr; when one is no longer current, its tickets are renewed */
	end_child();
	ck_assert_int_eq(a.ticket_key(a.arg, key.name, &named), 1);
	ck_assert_mem_eq(&key, &named, sizeof(key));
	clock_offset_for_tests(60 * 1000);
	ck_assert_int_eq(a.ticket_key(a.arg, key.name, &named), 2);
	ck_assert_int_eq(a.ticket_key(a.arg, NULL, &named), 0);
	clock_offset_for_tests(200 * 1000);
	ck_assert_int_eq(a.ticket_key(a.arg, key.name, &named), 0);
	secure_shared_free(&one);
	secure_shared_free(&two);
}
END_TEST

START_TEST(names_that_nobody_knows)
{
	struct tls_server_hooks a;
	struct secure_shared *one = open_end(&a);
	struct tls_ticket_key key;

	ck_assert_int_eq(a.ticket_key(a.arg, (const unsigned char *)"sixteen bytes!!!", &key), 0);
	secure_shared_free(&one);
}
END_TEST

START_TEST(two_servers_have_one_cache)
{
	struct tls_server_hooks a, b;
	struct secure_shared *one = open_end(&a), *two = open_end(&b);
	struct tls_ticket_key key;
	struct str got = {0};

	a.session_put(a.arg, "AB12", slice_of("\x30\x00session", 9));
	a.ticket_key(a.arg, NULL, &key); /* answered behind it: now it is there */
	ck_assert(b.session_get(b.arg, "AB12", &got));
	ck_assert_uint_eq(got.len, 9);
	ck_assert_mem_eq(got.data, "\x30\x00session", 9);
	ck_assert(!b.session_get(b.arg, "AB13", &got));
	b.session_drop(b.arg, "AB12");
	ck_assert(!b.session_get(b.arg, "AB12", &got));
	str_fini(&got);
	secure_shared_free(&one);
	secure_shared_free(&two);
}
END_TEST

START_TEST(no_tlsmgr_no_tickets)
{
	struct tls_server_hooks a;
	struct secure_shared *one = open_end(&a);
	struct tls_ticket_key key;
	struct str got = {0};

	end_child();
	ck_assert_int_eq(a.ticket_key(a.arg, NULL, &key), 0);
	ck_assert(!a.session_get(a.arg, "AB12", &got));
	str_fini(&got);
	secure_shared_free(&one);
}
END_TEST

TCase *shared_tcase(void)
{
	TCase *tcase = tcase_create("shared");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, two_servers_have_one_key);
	tcase_add_test(tcase, names_that_nobody_knows);
	tcase_add_test(tcase, two_servers_have_one_cache);
	tcase_add_test(tcase, no_tlsmgr_no_tickets);
	return tcase;
}
