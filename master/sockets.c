/* SPDX-License-Identifier: ISC */
/*
 * A reload must not refuse a connection, so what stays is not touched. What is new is opened
 * before anything is closed, so that a failure leaves everything as it was; only where the old is
 * in the way of the new (another address on the same port, another kind of the same path) is the
 * new one opened after the old is gone.
 */
#include "master/master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/sys/fd.h"

struct listener *sockets_find(struct master *m, const char *key)
{
	LIST_EACH (node, &m->listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, node);

		if (strcmp(l->key, key) == 0)
			return l;
	}
	return NULL;
}

size_t sockets_count(const struct master *m)
{
	size_t count = 0;

	LIST_EACH (node, &m->listeners)
		count++;
	return count;
}

static struct listener *listener_new(struct master *m, const struct endpoint *e)
{
	struct listener *l = alloc_zero(1, sizeof(*l));

	l->key = alloc_strdup(e->key);
	l->endpoint = *e;
	l->endpoint.key = l->key;
	l->endpoint.path = e->path ? alloc_strdup(e->path) : NULL;
	l->fd = -1;
	l->wanted = true;
	list_push(&m->listeners, &l->node);
	return l;
}

static void listener_free(struct master *m, struct listener *l)
{
	if (m->loop)
		watch_cancel(m->loop, &l->watch);
	if (l->fd >= 0 && l->endpoint.path)
		unlink(l->endpoint.path);
	/* a busy process still has it open: it must not keep the port, nor take in more clients */
	else if (l->fd >= 0)
		shutdown(l->fd, SHUT_RDWR);
	fd_close(&l->fd);
	list_remove(&l->node);
	free(l->key);
	free((void *)(uintptr_t)l->endpoint.path);
	free(l);
}

/* Is an open socket in the way of this one? */
static bool is_blocked(struct master *m, const struct endpoint *e)
{
	LIST_EACH (node, &m->listeners) {
		const struct endpoint *other = &LIST_ITEM(node, struct listener, node)->endpoint;

		if (e->path && other->path && strcmp(e->path, other->path) == 0)
			return true;
		if (!e->path && !other->path &&
		    net_addr_port(&e->addr) == net_addr_port(&other->addr))
			return true;
	}
	return false;
}

static bool may_be_absent(struct master *m, const struct endpoint *e, const struct err *err)
{
	if (!e->if_possible || (err->code != EAFNOSUPPORT && err->code != EADDRNOTAVAIL))
		return false;
	if (err->code == EAFNOSUPPORT && !m->no_ipv6_told) {
		log_warn("%s: the kernel does not have this address family; going on without it",
		    e->key);
		m->no_ipv6_told = true;
	}
	return true;
}

static void prepare_one(struct master *m, const struct planned *planned, const struct endpoint *e,
    const char *etc, struct problems *p)
{
	struct listener *l = sockets_find(m, e->key);
	bool blocked;
	struct err err;
	int fd;

	if (l) {
		l->wanted = true;
		return;
	}
	blocked = is_blocked(m, e);
	/* a path would be replaced by the attempt alone */
	fd = blocked && e->path ? -1 : endpoint_open(e, &err);
	if (fd < 0 && !blocked) {
		if (!may_be_absent(m, e, &err))
			problems_add(p, "%s/master.cf: line %d: service %s/%s: %s", etc,
			    planned->entry->line, planned->entry->name,
			    master_cf_type_name(planned->entry->type), err.text);
		return;
	}
	listener_new(m, e)->fd = fd;
}

void sockets_prepare(struct master *m, const struct config *config, struct problems *p)
{
	size_t before = p->count;

	LIST_EACH (node, &m->listeners)
		LIST_ITEM(node, struct listener, node)->wanted = false;
	for (size_t i = 0; i < config->plan_count; i++) {
		const struct planned *planned = &config->plan[i];

		for (size_t k = 0; k < planned->endpoint_count; k++)
			prepare_one(m, planned, &planned->endpoints[k], conf_etc(config->conf), p);
	}
	if (p->count == before)
		return;
	/* back: those without a unit are the new ones */
	LIST_EACH_SAFE (node, &m->listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, node);

		if (!l->unit)
			listener_free(m, l);
		else
			l->wanted = true;
	}
}

static void open_late(struct listener *l)
{
	struct err err;

	if (l->fd >= 0)
		return;
	l->fd = endpoint_open(&l->endpoint, &err);
	if (l->fd < 0)
		log_error("%s: %s; it is not served until the next reload", l->key, err.text);
}

void sockets_commit(struct master *m)
{
	LIST_EACH_SAFE (node, &m->listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, node);

		if (!l->wanted)
			listener_free(m, l);
	}
	LIST_EACH_SAFE (node, &m->listeners) {
		struct listener *l = LIST_ITEM(node, struct listener, node);

		open_late(l);
		if (l->fd < 0)
			listener_free(m, l); /* so that the next reload tries again */
	}
}

void sockets_close_all(struct master *m)
{
	LIST_EACH_SAFE (node, &m->listeners)
		listener_free(m, LIST_ITEM(node, struct listener, node));
}
