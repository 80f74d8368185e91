/* SPDX-License-Identifier: ISC */
/* The conversation: who asks, what for, and the wake-up byte that comes on the same socket. */
#include "flush/flush.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/service/service.h"

enum { STEP_MS = 10000, REQUEST_MAX = 4096, TRIGGER_MAX = 16 };

static bool is_eligible(struct flush *flush, const char *site)
{
	struct err err = {0};
	enum table_answer answer = match_list_text(flush->domains, site, &err);

	if (answer == TABLE_ERROR)
		log_warn("fast_flush_domains: %s", err.text);
	return answer == TABLE_FOUND;
}

static enum flush_status do_add(struct flush *flush, const struct flush_request *request)
{
	struct err err;

	if (!queue_id_valid(request->id))
		return FLUSH_BAD;
	if (!is_eligible(flush, request->site))
		return FLUSH_DENIED;
	if (flush_log_add(flush->queue, request->site, request->id, &err) == 0)
		return FLUSH_OK;
	log_warn("%s", err.text);
	return FLUSH_FAILED;
}

static enum flush_status do_send_site(struct flush *flush, const struct flush_request *request)
{
	bool subdomains = request->site[0] == '@';
	const char *site = request->site + subdomains;

	if (!address_domain_valid(site))
		return FLUSH_BAD;
	return is_eligible(flush, site) ? flush_send_site(flush, site, subdomains) : FLUSH_DENIED;
}

static enum flush_status do_send_file(struct flush *flush, const struct flush_request *request)
{
	return queue_id_valid(request->id) ? flush_send_file(flush, request->id) : FLUSH_BAD;
}

static enum flush_status do_refresh(struct flush *flush, const struct flush_request *request)
{
	(void)request;
	return flush_refresh(flush, flush->params->refresh_time);
}

static enum flush_status do_purge(struct flush *flush, const struct flush_request *request)
{
	(void)request;
	return flush_refresh(flush, -1);
}

static enum flush_status do_enable(struct flush *flush, const struct flush_request *request)
{
	struct err err;

	if (!address_domain_valid(request->site))
		return FLUSH_BAD;
	if (!is_eligible(flush, request->site))
		return FLUSH_DENIED;
	if (flush_log_enable(flush->queue, request->site, &err) == 0)
		return FLUSH_OK;
	log_warn("%s", err.text);
	return FLUSH_FAILED;
}

static const struct {
	uint16_t type;
	bool for_all; /* not only for the mail system's own processes */
	enum flush_status (*run)(struct flush *flush, const struct flush_request *request);
} commands[] = {
    {FLUSH_ADD, false, do_add},
    {FLUSH_SEND_SITE, true, do_send_site},
    {FLUSH_SEND_FILE, true, do_send_file},
    {FLUSH_REFRESH, false, do_refresh},
    {FLUSH_PURGE, false, do_purge},
    {FLUSH_ENABLE, false, do_enable},
};

enum flush_status flush_handle(
    struct flush *flush, uint16_t type, const struct flush_request *request, bool trusted)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (commands[i].type != type)
			continue;
		return trusted || commands[i].for_all ? commands[i].run(flush, request)
		                                      : FLUSH_DENIED;
	}
	return FLUSH_BAD;
}

static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

/* Answers one request. false: the connection is over. */
static bool answer_one(
    struct flush *flush, int fd, const struct frame *frame, struct arena *arena, struct str *out)
{
	struct flush_request request;
	struct flush_answer answer = {.status = FLUSH_BAD};
	struct err err;

	if (frame->size > REQUEST_MAX ||
	    frame_decode(frame, &flush_request_table, &request, arena, &err) < 0) {
		log_warn("malformed request of type %u", frame->type);
		return false;
	}
	answer.status = flush_handle(flush, frame->type, &request, is_trusted(fd));
	str_clear(out);
	frame_encode(out, FLUSH_ANSWER, frame->id, &flush_answer_table, &answer);
	return frame_send(fd, out, -1, STEP_MS, &err) == 0;
}

/* A frame has at least its header: less than that, and then the end, is a trigger. */
static bool take_trigger(struct flush *flush, int fd)
{
	char bytes[TRIGGER_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK);

	if (n <= 0 || n >= FRAME_HEADER || !memchr(bytes, 'W', (size_t)n) || !is_trusted(fd))
		return false;
	flush_refresh(flush, flush->params->refresh_time);
	return true;
}

void flush_serve(struct flush *flush, struct service *service, int fd)
{
	struct str in = {0}, out = {0};
	struct arena arena = {0};
	struct frame frame;
	struct err err;
	int got;

	if (take_trigger(flush, fd))
		return;
	while ((got = frame_recv(fd, &in, STEP_MS, &frame, NULL, &err)) == 1) {
		bool goes_on = answer_one(flush, fd, &frame, &arena, &out);

		str_consume(&in, frame.size);
		arena_reset(&arena);
		service_alive(service);
		if (!goes_on || service_should_end(service))
			break;
	}
	if (got < 0)
		log_warn("malformed request: %s", err.text);
	str_fini(&in);
	str_fini(&out);
	arena_fini(&arena);
}
