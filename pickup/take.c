/* SPDX-License-Identifier: ISC */
/*
 * One file: read once from front to end while its content goes through the shaper. The file is
 * removed when the queue has the message durably, so a crash between the two makes a second copy,
 * never a loss. A message that the queue's rules refuse (too large, too many hops) was accepted
 * from its sender, so it goes into the queue all the same, addressed to the error service, which
 * returns it.
 */
#include "pickup/pickup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/mail/date.h"
#include "lib/peer/maildrop.h"
#include "lib/sys/clock.h"

enum { PATH_SIZE = 128 };

struct job {
	struct pickup *pickup;
	const char *name;
	char path[PATH_SIZE];
	int fd;
	struct stat st;
	char id[QUEUE_ID_MAX];
	const char *refusal; /* "5.3.4 text": all recipients bounce with it; NULL: none do */
	struct arena arena;
	struct maildrop_reader reader;
	struct maildrop_envelope env;
	const char *sender;
	struct shaper *shaper;
	struct core_params core; /* without limits when there is a refusal */
	struct shape_params shape_params;
	struct shape_context context;
	struct recipient *rcpts;
	size_t rcpt_count, rcpt_cap;
	struct map *seen;
};

/* Is the one who wrote the file the one that it names? */
static int check_owner(const struct job *job, const struct maildrop_envelope *env, struct err *err)
{
	uid_t owner = job->st.st_uid;

	if (owner == 0 || owner == geteuid())
		return 0;
	if (env->flags & MAILDROP_REQUEUE || env->orig_id[0])
		return err_set(
		    err, EPERM, "uid %lu is not the queue's owner", (unsigned long)owner);
	if (env->uid == owner)
		return 0;
	return err_set(err, EPERM, "uid %lu wrote a message of uid %lu", (unsigned long)owner,
	    (unsigned long)env->uid);
}

static char *trace_header(struct job *job)
{
	const struct core_params *core = job->pickup->core;
	char date[MAIL_DATE_MAX];

	if (job->env.flags & MAILDROP_REQUEUE)
		return arena_strdup(&job->arena, "");
	mail_date(date, (time_t)(clock_wall_us() / 1000000));
	return arena_printf(&job->arena, "Received: by %s (%s, from userid %lu)\r\n\tid %s; %s\r\n",
	    core->myhostname, core->mail_name, (unsigned long)job->env.uid, job->id, date);
}

static void begin_shape(struct job *job)
{
	struct pickup *p = job->pickup;
	bool local = !(job->env.flags & (MAILDROP_REMOTE | MAILDROP_REQUEUE));

	job->core = *p->core;
	job->shape_params = p->shape_params;
	if (job->refusal) {
		job->core.message_size_limit = 0;
		job->shape_params.hopcount_limit = INT_MAX;
		job->shape_params.message_reject_characters = "";
	}
	job->context = (struct shape_context){.core = &job->core,
	    .params = &job->shape_params,
	    .router = p->router,
	    .mapper = job->refusal ? NULL : p->mapper,
	    .checks = job->refusal ? NULL : p->checks,
	    .brought_by = arena_printf(&job->arena, "local; from=<%s> to=<%s>", job->sender,
	        job->rcpt_count > 0 ? job->rcpts[0].address : ""),
	    .mapping = (job->env.flags & MAILDROP_REQUEUE ? 0 : MAP_BCC) |
	               (p->shape_params.overrides & SHAPE_NO_MAPPINGS ? MAP_NOTHING : 0),
	    .arena = &job->arena,
	    .queue = p->queue,
	    .origin = SHAPE_BY_SENDMAIL,
	    .add_missing_headers = local,
	    .rewrite_headers = local,
	    .full_name = job->env.full_name};
	job->shaper = shape_begin(&job->context, job->id, job->sender, trace_header(job));
}

static int take_envelope(struct job *job, const struct maildrop_envelope *env, struct err *err)
{
	if (check_owner(job, env, err) < 0)
		return -1;
	job->env = *env;
	job->sender = route_rewrite(job->pickup->router, env->sender, &job->arena);
	if (!job->refusal && env->orig_id[0])
		log_info("%s: uid=%lu from=<%s> orig_id=%s", job->id, (unsigned long)env->uid,
		    env->sender, env->orig_id);
	else if (!job->refusal)
		log_info("%s: uid=%lu from=<%s>", job->id, (unsigned long)env->uid, env->sender);
	return 0;
}

static bool seen_before(struct job *job, const char *address)
{
	char *key = arena_strdup(&job->arena, address);
	void *here = job; /* any value but NULL */

	text_lower(key);
	return map_put(job->seen, key, here) != NULL;
}

static void route_rcpt(struct job *job, struct recipient *rcpt)
{
	struct route route;
	struct err err;

	rcpt->transport = rcpt->nexthop = "";
	if (job->refusal) {
		rcpt->transport = "error";
		rcpt->nexthop = job->refusal;
	} else if (route_resolve(job->pickup->router, job->sender, rcpt->address, &job->arena,
	               &route, &err) == 0) {
		rcpt->transport = route.transport;
		rcpt->nexthop = route.nexthop;
		rcpt->address = route.recipient;
	} else {
		/* qmgr resolves what has no route; the message is safe meanwhile */
		log_warn("%s: %s", job->id, err.text);
	}
}

static void take_rcpt(struct job *job, const struct maildrop_rcpt *from)
{
	const char *typed =
	    from->address[0] ? from->address : job->pickup->core->empty_address_recipient;
	struct recipient rcpt = {
	    .orig = "", .orcpt = from->orcpt, .notify = from->notify, .status = RCPT_TODO};

	rcpt.address = route_rewrite(job->pickup->router, typed, &job->arena);
	if (seen_before(job, rcpt.address))
		return;
	if (strcmp(rcpt.address, typed) != 0)
		rcpt.orig = typed;
	route_rcpt(job, &rcpt);
	if (job->rcpt_count == job->rcpt_cap) {
		job->rcpt_cap = job->rcpt_cap ? job->rcpt_cap * 2 : 16;
		job->rcpts = alloc_array(job->rcpts, job->rcpt_cap, sizeof(*job->rcpts));
	}
	job->rcpts[job->rcpt_count++] = rcpt;
}

/* 0: read to its end; -1: not a message. */
static int read_file(struct job *job, struct err *err)
{
	struct maildrop_item item;
	int rc;

	do {
		rc = maildrop_read(&job->reader, job->fd, &job->arena, &item, err);
		if (rc <= 0)
			return rc < 0 ? -1 : err_set(err, EBADMSG, "the file ends too early");
		if (item.type == MAILDROP_ENVELOPE && take_envelope(job, &item.env, err) < 0)
			return -1;
		if (item.type == MAILDROP_RCPT)
			take_rcpt(job, &item.rcpt);
		if (!job->shaper && (item.type == MAILDROP_CONTENT || item.type == MAILDROP_END))
			begin_shape(job);
		if (item.type == MAILDROP_CONTENT)
			shape_put(job->shaper, item.content.data, item.content.len);
	} while (item.type != MAILDROP_END);
	return job->rcpt_count > 0 ? 0 : err_set(err, EBADMSG, "no recipients");
}

static uint32_t env_flags(uint32_t maildrop)
{
	static const struct {
		uint32_t maildrop, env;
	} flags[] = {
	    {MAILDROP_8BIT, ENV_8BIT}, {MAILDROP_TRACE, ENV_TRACE}, {MAILDROP_VERIFY, ENV_VERIFY}};
	uint32_t result = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		result |= maildrop & flags[i].maildrop ? flags[i].env : 0;
	return result;
}

static enum shape_result commit(struct job *job, struct err *err)
{
	int64_t now = clock_wall_us();
	int64_t arrival = (int64_t)job->env.time_us;
	const char *attributes =
	    *job->env.verp ? arena_printf(&job->arena, ENVELOPE_VERP "=%s\n", job->env.verp) : "";
	struct envelope env = {.id = job->id,
	    .sender = job->sender,
	    .sender_orig = "",
	    .queued_us = (uint64_t)now,
	    .flags = env_flags(job->env.flags),
	    .generation = job->pickup->generation,
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .envid = job->env.envid,
	    .ret = job->env.ret,
	    .message_id = "",
	    .filter = "",
	    .attributes = attributes,
	    .rcpts = job->rcpts,
	    .rcpt_count = (uint32_t)job->rcpt_count};
	struct location loc;
	uint64_t content_len;
	enum shape_result result;

	/* since 1970, and not in the future */
	env.arrival_us = (uint64_t)(arrival > 0 && arrival < now ? arrival : now);
	result = shape_end(&job->shaper, &env, &loc, &content_len, err);
	if (result == SHAPE_OK)
		notifier_send(job->pickup->notifier, &env, &loc, content_len);
	return result;
}

static void reset(struct job *job)
{
	shape_abort(&job->shaper);
	maildrop_reader_fini(&job->reader);
	map_free(&job->seen, NULL);
	arena_reset(&job->arena);
	job->rcpt_count = 0;
}

/* One reading of the file. SHAPE_CONTENT with err->code EBADMSG: it is no message. */
static enum shape_result pass(struct job *job, bool *damaged_out, struct err *err)
{
	enum shape_result result = SHAPE_CONTENT;

	job->seen = map_new();
	*damaged_out = read_file(job, err) < 0;
	if (!*damaged_out)
		result = commit(job, err);
	reset(job);
	return result;
}

static const char *refusal_of(
    enum shape_result result, const struct err *err, char *buf, size_t size)
{
	switch (result) {
	case SHAPE_TOO_BIG:
		return "5.3.4 message file too big";
	case SHAPE_TOO_MANY_HOPS:
		return "5.4.0 too many hops";
	case SHAPE_CONTENT:
		snprintf(buf, size, "%s%s", isdigit((unsigned char)err->text[0]) ? "" : "5.7.1 ",
		    err->text);
		return buf;
	default:
		return NULL;
	}
}

/* Trouble of the system, not of the file: the same file may be taken in the next run. */
static bool system_failed(const struct err *err)
{
	static const int codes[] = {EMFILE, ENFILE, ENOMEM, EIO, ENOSPC, EDQUOT, EROFS, EINTR};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (err->code == codes[i])
			return true;
	}
	return false;
}

static enum pickup_result set_aside(struct job *job, const struct err *err)
{
	const char *why = err->text;
	char to[PATH_SIZE];

	if (system_failed(err)) {
		log_warn("%s: %s", job->path, why);
		return PICKUP_STOP;
	}
	snprintf(to, sizeof(to), "corrupt/%s", job->name);
	if (rename(job->path, to) == 0) {
		log_warn("%s: %s; the file is now %s", job->path, why, to);
	} else if (errno != ENOENT) {
		log_warn("%s: %s; moving it to %s: %s", job->path, why, to, strerror(errno));
		map_put(job->pickup->stuck, job->name, job->pickup);
	}
	return PICKUP_SKIPPED;
}

static enum pickup_result remove_file(struct job *job)
{
	if (unlink(job->path) < 0 && errno != ENOENT) {
		log_warn("remove %s: %s", job->path, strerror(errno));
		map_put(job->pickup->stuck, job->name, job->pickup);
	}
	return PICKUP_TAKEN;
}

static enum pickup_result process(struct job *job)
{
	char text[sizeof(((struct err *)0)->text) + 16];
	struct err err = {0};
	bool damaged;
	enum shape_result result = pass(job, &damaged, &err);

	if (!damaged && (job->refusal = refusal_of(result, &err, text, sizeof(text)))) {
		if (lseek(job->fd, 0, SEEK_SET) < 0)
			return PICKUP_STOP;
		result = pass(job, &damaged, &err);
		if (!damaged && refusal_of(result, &err, text, sizeof(text)))
			damaged = true;
	}
	if (damaged)
		return set_aside(job, &err);
	if (result == SHAPE_OK || result == SHAPE_DISCARDED)
		return remove_file(job);
	if (result == SHAPE_CONTENT_LATER || result == SHAPE_TABLE_ERROR ||
	    result == SHAPE_EXPANSION)
		return PICKUP_SKIPPED; /* the next ones may have other addresses */
	log_warn("%s: error writing %s: queue file write error%s%s", job->path, job->id,
	    err.text[0] ? ": " : "", err.text);
	return PICKUP_STOP;
}

/* 0; 1: not for us (yet); -1 with err: not what postdrop makes. */
static int open_file(struct job *job, struct err *err)
{
	/* what is being written belongs to its writer: mail_owner may not even open it */
	if (lstat(job->path, &job->st) < 0)
		return errno == ENOENT ? 1 : err_sys(err, "lstat");
	if (S_ISREG(job->st.st_mode) && !(job->st.st_mode & S_IXUSR))
		return 1;
	job->fd = open(job->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (job->fd < 0)
		return errno == ENOENT ? 1 : err_sys(err, "open");
	if (fstat(job->fd, &job->st) < 0)
		return err_sys(err, "fstat");
	if (!S_ISREG(job->st.st_mode))
		return err_set(err, EINVAL, "not a regular file");
	if (!(job->st.st_mode & S_IXUSR))
		return 1; /* still being written */
	if (job->st.st_nlink != 1)
		return err_set(err, EMLINK, "the file has more than one name");
	return 0;
}

enum pickup_result pickup_take(struct pickup *p, const char *name)
{
	struct job job = {.pickup = p, .name = name, .fd = -1};
	enum pickup_result result = PICKUP_SKIPPED;
	struct err err;
	int rc;

	snprintf(job.path, sizeof(job.path), "maildrop/%s", name);
	rc = open_file(&job, &err);
	if (rc < 0) {
		result = set_aside(&job, &err);
	} else if (rc == 0) {
		queue_new_id(p->queue, job.id);
		result = process(&job);
	}
	if (job.fd >= 0)
		close(job.fd);
	arena_fini(&job.arena);
	free(job.rcpts);
	return result;
}
