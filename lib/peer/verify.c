/* SPDX-License-Identifier: ISC */
#include "lib/peer/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/ipc/caller.h"
#include "lib/sys/net.h"

enum { TELL_MS = 5000 };

struct verify_client {
	struct frame_caller *caller;
};

struct verify_client *verify_client_new(const char *service, int timeout_ms)
{
	struct verify_client *c = alloc_zero(1, sizeof(*c));
	char path[256];

	snprintf(path, sizeof(path), "private/%s", service);
	c->caller = frame_caller_new(path, timeout_ms, "addresses are not verified");
	return c;
}

void verify_client_free(struct verify_client **c)
{
	if (!*c)
		return;
	frame_caller_free(&(*c)->caller);
	free(*c);
	*c = NULL;
}

bool verify_ask(
    struct verify_client *c, const char *address, struct arena *arena, struct verify_answer *out)
{
	static const struct frame_question question = {
	    VERIFY_QUERY, VERIFY_ANSWER, &verify_query_table, &verify_answer_table};
	const struct verify_query query = {.address = address};

	return frame_caller_ask(c->caller, &question, &query, arena, out, NULL);
}

static void tell_one(int fd, const struct verify_update *update, struct err *err)
{
	struct str frame = {0};

	frame_encode(&frame, VERIFY_UPDATE, 1, &verify_update_table, update);
	if (frame_send(fd, &frame, -1, TELL_MS, err) < 0)
		log_warn("address verification: %s: %s", update->address, err->text);
	str_fini(&frame);
}

void verify_tell(
    const char *service, const char *address, const char *orig, const char *dsn, const char *text)
{
	struct verify_update update = {.address = *orig ? orig : address, .text = text};
	char path[256];
	struct err err;
	int fd;

	update.status = dsn[0] == '2' ? VERIFY_OK : dsn[0] == '4' ? VERIFY_DEFER : VERIFY_BOUNCE;
	snprintf(path, sizeof(path), "private/%s", service);
	fd = net_connect_unix(path, TELL_MS, &err);
	if (fd < 0) {
		log_warn("address verification: %s: %s", path, err.text);
		return;
	}
	tell_one(fd, &update, &err);
	if (strcmp(update.address, address) != 0) {
		update.address = address;
		tell_one(fd, &update, &err);
	}
	close(fd);
}
