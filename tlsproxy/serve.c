/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/secure/outcome.h"
#include "lib/sys/clock.h"
#include "lib/sys/fd.h"
#include "tlsproxy/tlsproxy.h"

struct conversation {
	struct tlsproxy *proxy;
	struct service *service;
	int fd;
	struct str in;
	uint32_t id; /* of the last request */
	struct arena arena;
	struct tlsproxy_request request;
	struct stream net;
	struct tls_session *tls;
	bool kept;
};

/* One frame of that type. 1, or 0: the client has gone, -1: it talks nonsense. */
static int hear(struct conversation *c, uint16_t type, const struct frame_table *table, void *out,
    int *fd_out, struct err *err)
{
	struct frame frame;
	int got = frame_recv(c->fd, &c->in, TLSPROXY_STALL_MS, &frame, fd_out, err);

	if (got <= 0)
		return got;
	if (frame.type != type)
		return err_set(err, 0, "request of unexpected type %u", frame.type);
	if (frame_decode(&frame, table, out, &c->arena, err) < 0)
		return -1;
	str_consume(&c->in, frame.size);
	c->id = frame.id;
	return 1;
}

static bool answer(
    struct conversation *c, uint16_t type, const struct frame_table *table, void *value)
{
	struct str out = {0};
	struct err err;
	bool sent;

	frame_encode(&out, type, c->id, table, value);
	sent = frame_send(c->fd, &out, -1, TLSPROXY_STALL_MS, &err) == 0;
	str_fini(&out);
	return sent;
}

/* Are the keys and the trust here those that the client has been told to use? */
static int greet(struct conversation *c, struct err *err)
{
	struct tlsproxy *p = c->proxy;
	struct tlsproxy_hello hello;
	struct tlsproxy_ready ready = {.reason = ""};
	int got = hear(c, TLSPROXY_HELLO, &tlsproxy_hello_table, &hello, NULL, err);

	if (got <= 0)
		return got;
	if (!p->context)
		ready.reason = p->trouble;
	else if (strcmp(hello.identity, tls_context_identity(p->context)) != 0)
		ready.reason =
		    "its certificates (tlsproxy_client_CAfile, tlsproxy_client_cert_file, "
		    "...) are not those of the delivery agent";
	ready.willing = !*ready.reason;
	return answer(c, TLSPROXY_READY, &tlsproxy_ready_table, &ready) && ready.willing;
}

static const char *const *names_of(struct conversation *c)
{
	const struct tlsproxy_name *names = c->request.names.items;
	const char **out = arena_zero(&c->arena, c->request.names.count + 1, sizeof(*out));

	for (size_t i = 0; i < c->request.names.count; i++)
		out[i] = names[i].text;
	return out;
}

static struct tls_tlsa *records_of(struct conversation *c, struct err *err)
{
	const struct tlsproxy_tlsa *from = c->request.tlsa.items;
	struct tls_tlsa *out = arena_zero(&c->arena, c->request.tlsa.count + 1, sizeof(*out));

	for (size_t i = 0; i < c->request.tlsa.count; i++) {
		struct str data = {0};

		if (base64_decode(&data, from[i].data, strlen(from[i].data)) < 0) {
			str_fini(&data);
			err_set(err, 0, "a TLSA record that is no base64");
			return NULL;
		}
		out[i] = (struct tls_tlsa){from[i].usage, from[i].selector, from[i].matching,
		    (unsigned char *)arena_strndup(&c->arena, str_text(&data), data.len), data.len};
		str_fini(&data);
	}
	return out;
}

static struct secure_resume *resume_of(const struct conversation *c)
{
	return c->proxy->resume[c->request.lmtp ? 1 : 0];
}

static int shake_hands(struct conversation *c, struct tlsproxy_outcome *out, struct err *err)
{
	const struct tlsproxy_request *q = &c->request;
	struct tls_client_config config = {.peer = q->peer,
	    .name = q->name,
	    .log_level = (int)MIN(q->log_level, 4U),
	    .cipherlist = q->cipherlist,
	    .protocols = {(int)q->protocol_min, (int)q->protocol_max, q->protocols_excluded},
	    .trust_anchors = q->trust_anchors,
	    .digest = q->digest,
	    .tlsa_count = q->tlsa.count,
	    .tlsa_base = q->tlsa_base};
	enum tls_start started;
	struct err why = {0};

	config.log_level = MAX(config.log_level, c->proxy->params->loglevel);
	config.verify = (enum tls_verify)q->verify;
	config.names = config.fingerprints = names_of(c);
	config.name_count = config.fingerprint_count = q->names.count;
	config.tlsa = records_of(c, err);
	if (!config.tlsa)
		return -1;
	config.resume = *q->resume_key ? secure_resume_find(resume_of(c), q->resume_key) : NULL;
	c->net.timeout_ms = (int)MIN(q->limit_ms, (uint32_t)INT32_MAX);
	c->net.deadline_ms = clock_mono_ms() + q->limit_ms;
	started = tls_client_start(c->proxy->context, &c->net, &config, &c->tls, &why);
	c->net.deadline_ms = 0;
	secure_outcome(started, c->tls, &why, config.log_level, &c->arena, out);
	if (started != TLS_STARTED && config.resume)
		secure_resume_drop(resume_of(c), q->resume_key);
	return 0;
}

/* Tickets of TLS 1.3 come with the first data. */
static void keep(struct relay *relay)
{
	struct conversation *c = relay->arg;

	if (!c->kept && *c->request.resume_key)
		c->kept = secure_resume_keep(resume_of(c), c->request.resume_key, c->tls);
}

static void pass_on(struct conversation *c)
{
	struct relay relay = {.service = c->service,
	    .tls = c->tls,
	    .net = c->net.fd,
	    .plain = c->fd,
	    .idle_ms = c->request.idle_ms,
	    .first_data = keep,
	    .arg = c};

	relay_run(&relay);
	if (*tls_session_error(c->tls))
		log_warn("TLS library problem: %s: %s", c->request.peer, tls_session_error(c->tls));
}

static int converse(struct conversation *c, struct err *err)
{
	struct tlsproxy_outcome outcome;
	int got = greet(c, err), passed = -1;

	if (got <= 0)
		return got;
	got = hear(c, TLSPROXY_CLIENT, &tlsproxy_request_table, &c->request, &passed, err);
	stream_init(&c->net, passed, -1);
	if (got <= 0)
		return got;
	if (passed < 0 || c->in.len || c->request.verify > TLS_VERIFY_NAME)
		return err_set(
		    err, 0, "%s", passed < 0 ? "no descriptor" : "a request out of order");
	if (shake_hands(c, &outcome, err) < 0)
		return -1;
	if (answer(c, TLSPROXY_OUTCOME, &tlsproxy_outcome_table, &outcome) && c->tls)
		pass_on(c);
	return 0;
}

void tlsproxy_serve(struct tlsproxy *proxy, struct service *service, int fd)
{
	struct conversation c = {.proxy = proxy, .service = service, .fd = fd, .net = {.fd = -1}};
	struct err err = {0};

	if (converse(&c, &err) < 0 && err.code != ETIMEDOUT && err.code != ECONNRESET)
		log_warn("private/tlsproxy: a client is turned away: %s", err.text);
	tls_session_close(&c.tls);
	stream_fini(&c.net);
	str_fini(&c.in);
	arena_fini(&c.arena);
}
