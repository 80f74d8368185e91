/* SPDX-License-Identifier: ISC */
#include "master/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

enum { BACKLOG = 1024, HOST_MAX = 256, ENDPOINTS_MAX = 64, SOCKET_MODE = 0666 };

struct builder {
	struct arena *arena;
	struct endpoint *list;
	size_t count;
	bool v4, v6; /* inet_protocols */
};

static void add_addr(struct builder *b, const struct net_addr *addr, bool if_possible)
{
	char host[64];
	const char *key;

	net_addr_text(addr, host, sizeof(host));
	key = arena_printf(b->arena, "inet %s port %u", host, net_addr_port(addr));
	for (size_t i = 0; i < b->count; i++) {
		if (strcmp(b->list[i].key, key) == 0)
			return;
	}
	if (b->count == ENDPOINTS_MAX)
		return;
	b->list[b->count++] = (struct endpoint){
	    .key = key, .socket_type = SOCK_STREAM, .addr = *addr, .if_possible = if_possible};
}

static void add_pair(struct builder *b, const char *v4, const char *v6, unsigned port)
{
	struct net_addr addr;

	if (b->v4 && net_addr_parse(&addr, v4, port))
		add_addr(b, &addr, b->v6);
	if (b->v6 && net_addr_parse(&addr, v6, port))
		add_addr(b, &addr, b->v4);
}

static int add_name(struct builder *b, const char *host, unsigned port, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char service[16];
	int rc;

	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0)
		return err_set(err, 0, "\"%s\": expected an address or a host name: %s", host,
		    gai_strerror(rc));
	for (struct addrinfo *a = found; a; a = a->ai_next) {
		struct net_addr addr = {.len = a->ai_addrlen};

		memcpy(&addr.sa, a->ai_addr, a->ai_addrlen);
		if ((a->ai_family == AF_INET && b->v4) || (a->ai_family == AF_INET6 && b->v6))
			add_addr(b, &addr, false);
	}
	freeaddrinfo(found);
	return 0;
}

static int add_host(struct builder *b, const char *host, unsigned port, struct err *err)
{
	struct net_addr addr;

	if (!net_addr_parse(&addr, host, port))
		return add_name(b, host, port, err);
	/* inet_protocols rules out a family also when it is asked for by address, as in Postfix */
	if (addr.sa.ss_family == AF_INET6 ? b->v6 : b->v4)
		add_addr(b, &addr, false);
	return 0;
}

/* One word of inet_interfaces. */
static int add_interface(struct builder *b, char *word, unsigned port, struct err *err)
{
	size_t len = strlen(word);

	if (text_eq_nocase(word, "all")) {
		add_pair(b, "0.0.0.0", "::", port);
		return 0;
	}
	if (text_eq_nocase(word, "loopback-only")) {
		add_pair(b, "127.0.0.1", "::1", port);
		return 0;
	}
	if (word[0] == '[' && word[len - 1] == ']') {
		word[len - 1] = '\0';
		word++;
	}
	if (add_host(b, word, port, err) < 0)
		return err_prefix(err, "inet_interfaces: ");
	return 0;
}

static int add_interfaces(struct builder *b, const char *interfaces, unsigned port, struct err *err)
{
	char *copy = arena_strdup(b->arena, interfaces);

	for (char *save = NULL, *word = strtok_r(copy, ", \t\r\n", &save); word;
	     word = strtok_r(NULL, ", \t\r\n", &save)) {
		if (add_interface(b, word, port, err) < 0)
			return -1;
	}
	return 0;
}

static int read_protocols(struct builder *b, const char *text, struct err *err)
{
	char *copy = arena_strdup(b->arena, text);

	for (char *save = NULL, *word = strtok_r(copy, ", \t\r\n", &save); word;
	     word = strtok_r(NULL, ", \t\r\n", &save)) {
		bool all = text_eq_nocase(word, "all");

		if (!all && !text_eq_nocase(word, "ipv4") && !text_eq_nocase(word, "ipv6"))
			return err_set(err, 0,
			    "inet_protocols = %s: expected all, ipv4, ipv6 or a list of these",
			    text);
		b->v4 |= all || text_eq_nocase(word, "ipv4");
		b->v6 |= all || text_eq_nocase(word, "ipv6");
	}
	if (!b->v4 && !b->v6)
		b->v4 = true;
	return 0;
}

static int list_inet(struct builder *b, const struct master_cf_entry *entry,
    const struct core_params *core, struct err *err)
{
	char host[HOST_MAX];
	unsigned port;

	if (read_protocols(b, core->inet_protocols, err) < 0 ||
	    net_split_host_port(entry->name, host, sizeof(host), &port, err) < 0)
		return -1;
	if (host[0] ? add_host(b, host, port, err) < 0
	            : add_interfaces(b, core->inet_interfaces, port, err) < 0)
		return -1;
	if (b->count == 0)
		return err_set(err, 0,
		    "no address to listen on with inet_interfaces = %s, inet_protocols = %s",
		    core->inet_interfaces, core->inet_protocols);
	return 0;
}

int endpoint_list(const struct master_cf_entry *entry, const struct core_params *core,
    struct arena *arena, struct endpoint **list_out, size_t *count_out, struct err *err)
{
	struct builder b = {.arena = arena};
	static const char *const kind[] = {[MASTER_CF_UNIX] = "unix",
	    [MASTER_CF_PASS] = "unix",
	    [MASTER_CF_FIFO] = "fifo",
	    [MASTER_CF_UNIX_DGRAM] = "unix-dgram"};
	struct endpoint *e;

	b.list = arena_zero(arena, ENDPOINTS_MAX, sizeof(*b.list));
	if (entry->type == MASTER_CF_INET) {
		if (list_inet(&b, entry, core, err) < 0)
			return -1;
	} else {
		if (strchr(entry->name, '/') || entry->name[0] == '.')
			return err_set(
			    err, 0, "\"%s\": expected a file name without \"/\"", entry->name);
		e = &b.list[b.count++];
		e->path = arena_printf(
		    arena, "%s/%s", entry->private_ ? "private" : "public", entry->name);
		e->key = arena_printf(arena, "%s %s", kind[entry->type], e->path);
		e->socket_type = entry->type == MASTER_CF_FIFO         ? 0
		                 : entry->type == MASTER_CF_UNIX_DGRAM ? SOCK_DGRAM
		                                                       : SOCK_STREAM;
	}
	for (size_t i = 0; i < b.count; i++)
		b.list[i].window = core->tcp_windowsize;
	*list_out = b.list;
	*count_out = b.count;
	return 0;
}

/* Open for both directions, so that it never reads as ended while nobody writes. */
static int open_fifo(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0 && !S_ISFIFO(st.st_mode) && unlink(path) < 0)
		return err_sys(err, "unlink %s", path);
	if (mkfifo(path, SOCKET_MODE) < 0 && errno != EEXIST)
		return err_sys(err, "make fifo %s", path);
	if (chmod(path, SOCKET_MODE) < 0)
		return err_sys(err, "chmod %s", path);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(err, "open %s", path) : fd;
}

/*
 * private/ and public/ are mail_owner's, who could put a link in the place of a name between two of
 * our steps. So root makes names there with the rights of the folder's owner only.
 */
static uid_t owner_of_folder(const char *path)
{
	char folder[256];
	const char *slash = strrchr(path, '/');
	struct stat st;

	snprintf(
	    folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	return stat(folder, &st) == 0 ? st.st_uid : 0;
}

static int open_path(const struct endpoint *e, struct err *err)
{
	uid_t owner = geteuid() == 0 ? owner_of_folder(e->path) : 0;
	int fd;

	if (owner != 0 && seteuid(owner) < 0)
		return err_sys(err, "become the owner of the folder of %s", e->path);
	fd = e->socket_type == 0
	         ? open_fifo(e->path, err)
	         : net_listen_unix(e->path, e->socket_type, SOCKET_MODE, BACKLOG, err);
	if (owner != 0 && seteuid(0) < 0)
		fatal("become root again: %s", strerror(errno));
	return fd;
}

int endpoint_open(const struct endpoint *e, struct err *err)
{
	return e->path ? open_path(e, err) : net_listen(&e->addr, BACKLOG, e->window, err);
}

static int trigger_socket(const struct endpoint *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const struct sockaddr *sa = (const struct sockaddr *)&e->addr.sa;
	socklen_t len = e->addr.len;
	int family = e->addr.sa.ss_family, fd;

	if (e->path) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", e->path);
		family = AF_UNIX;
		sa = (const struct sockaddr *)&sun;
		len = sizeof(sun);
	}
	fd = socket(family, e->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, sa, len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* What is there now may be something else than the fifo that we made. */
static int trigger_fifo(const char *path)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

void endpoint_trigger(const struct endpoint *e, char what)
{
	int fd = e->socket_type == 0 ? trigger_fifo(e->path) : trigger_socket(e);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, &what, 1);
	(void)n; /* the next wake-up comes anyway */
	close(fd);
}
