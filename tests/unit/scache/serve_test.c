/* SPDX-License-Identifier: ISC */
/* Both ends of the conversation: the cache in a child process, the client here. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/err.h"
#include "scache/scache.h"
#include "suite.h"

static char folder[] = "/tmp/postern-test-XXXXXX", path[64];
static pid_t child;
static struct scache_client *client;
static struct arena arena;

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
	static const struct cache_limits limits = {.ttl_ms = 60000, .sessions = 10};
	static struct cache cache;
	static struct frame_server server = {
	    .name = "test", .stall_ms = 200, .take = cache_take_frame, .arg = &cache};
	static struct listener listener = {.watch = {.ready = came}, .server = &server};

	server.loop = loop_new();
	cache_init(&cache, server.loop, &limits);
	watch_start(server.loop, &listener.watch, listening, LOOP_READ);
	alarm(30);
	loop_run(server.loop);
}

static void setup(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/postern-test-XXXXXX")));
	snprintf(path, sizeof(path), "%s/s", folder);
	strcpy(sun.sun_path, path);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listening, 5), 0);
	child = fork();
	if (child == 0) {
		serve(listening);
		_exit(0);
	}
	close(listening);
	client = scache_client_new(path, 5000);
}

static void teardown(void)
{
	scache_client_free(&client);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
	rmdir(folder);
	arena_fini(&arena);
}

static const struct scache_store sample = {.endpoint = "192.0.2.1:25 login",
    .destination = "example.com login",
    .endpoint_ms = 10000,
    .destination_ms = 10000,
    .session = {.host = "mx.example.com",
        .name = "mx.example.com[192.0.2.1]",
        .relay = "mx.example.com[192.0.2.1]:25",
        .features = 5,
        .uses = 3,
        .size_limit = 1000,
        .opened_ms = 77,
        .xforward = "NAME ADDR",
        .tls = ""}};

static int put(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(scache_put(client, &sample, ends[0]));
	close(ends[0]);
	return ends[1];
}

static int get(const char *destination, struct scache_answer *answer)
{
	struct scache_find find = {.destination = destination};

	return scache_get(client, &find, &arena, answer);
}

START_TEST(a_connection_goes_there_and_back)
{
	struct scache_answer answer;
	int server = put(), fd;
	char text[8] = "";

	ck_assert_int_eq(get("example.com", &answer), -1); /* without the login: another key */
	fd = get("example.com login", &answer);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(answer.session.relay, sample.session.relay);
	ck_assert_uint_eq(answer.session.features, 5);
	ck_assert_uint_eq(answer.session.uses, 3);
	ck_assert_uint_eq(answer.session.size_limit, 1000);
	ck_assert_uint_eq(answer.session.opened_ms, 77);
	ck_assert_int_eq(write(fd, "hello", 5), 5);
	ck_assert_int_eq(read(server, text, sizeof(text)), 5);
	close(fd);
	ck_assert_int_eq(read(server, text, sizeof(text)), 0); /* nobody else holds it */
	close(server);
}
END_TEST

/* What a broken or foreign client may send: its connection ends, the others go on. */
static void store_without_descriptor(int sock)
{
	struct str out = {0};

	frame_encode(&out, SCACHE_STORE, 1, &scache_store_table, &sample);
	frame_send(sock, &out, -1, 1000, NULL);
	str_fini(&out);
}

static void store_of_a_pipe(int sock)
{
	struct str out = {0};
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	frame_encode(&out, SCACHE_STORE, 1, &scache_store_table, &sample);
	frame_send(sock, &out, ends[0], 1000, NULL);
	str_fini(&out);
	close(ends[0]);
	close(ends[1]);
}

static void noise(int sock)
{
	ck_assert_int_eq(write(sock, "EHLO example.com\r\n", 18), 18);
}

static void half_a_frame(int sock)
{
	ck_assert_int_eq(write(sock, "\x20\0\0\0\1", 5), 5);
}

static void unknown_type(int sock)
{
	struct str out = {0};

	frame_encode(&out, 77, 1, NULL, NULL);
	frame_send(sock, &out, -1, 1000, NULL);
	str_fini(&out);
}

static void (*const nonsense[])(int sock) = {
    store_without_descriptor, store_of_a_pipe, noise, half_a_frame, unknown_type};

START_TEST(nonsense_ends_only_its_own_connection)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), server = put(), fd;
	struct scache_answer answer;
	char byte;

	strcpy(sun.sun_path, path);
	ck_assert_int_eq(connect(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	nonsense[_i](sock);
	ck_assert_int_le(read(sock, &byte, 1), 0);
	close(sock);
	fd = get("example.com login", &answer);
	ck_assert_int_ge(fd, 0);
	close(fd);
	close(server);
}
END_TEST

START_TEST(a_cache_that_died_is_left_alone)
{
	struct scache_answer answer;
	int server = put(), ends[2];

	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
	ck_assert_int_eq(get("example.com login", &answer), -1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert(!scache_put(client, &sample, ends[0]));
	close(ends[0]);
	close(ends[1]);
	close(server);
}
END_TEST

TCase *serve_tcase(void)
{
	TCase *tc = tcase_create("serve");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_connection_goes_there_and_back);
	tcase_add_loop_test(tc, nonsense_ends_only_its_own_connection, 0, (int)ARRAY_LEN(nonsense));
	tcase_add_test(tc, a_cache_that_died_is_left_alone);
	return tc;
}
