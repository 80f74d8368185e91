/* SPDX-License-Identifier: ISC */
/*
 * check_policy_service: a program of the administrator's is told all that is known of a request,
 * and answers with an access(5) action. Lines "name=value", ended by an empty line, both ways,
 * again and again on one connection. A server that does not answer in time, goes away or talks
 * nonsense is asked anew on a new connection, then the default action counts; it can never permit
 * by failing.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/service/service.h"
#include "lib/smtp/command.h"
#include "lib/sys/clock.h"
#include "smtpd/restrict.h"
#include "smtpd/tls.h"

enum { LINE_MAX_LEN = 8192, LINES_MAX = 100, POLICIES_MAX = 100 };

struct policy_settings {
	const char *default_action, *policy_context;
	int max_idle, max_ttl, request_limit, retry_delay, timeout, try_limit;
};

struct policy {
	struct arena arena;
	const char *endpoint; /* "inet:127.0.0.1:9998" */
	struct policy_settings settings;
	bool connected;
	struct stream stream;
	int64_t opened_ms, used_ms;
	int requests; /* on this connection */
};

/* ---- "{ inet:host:port, timeout=10s, { default_action = 451 4.3.5 text } }" ------------------ */

#define ST struct policy_settings
static const struct conf_param setting_rows[] = {
    CONF_TEXT(ST, default_action, "default_action", "", ""),
    CONF_TEXT(ST, policy_context, "policy_context", "", ""),
    CONF_SECS(ST, max_idle, "max_idle", "300s", 1, 0, ""),
    CONF_SECS(ST, max_ttl, "max_ttl", "1000s", 1, 0, ""),
    CONF_INT(ST, request_limit, "request_limit", "0", 0, 0, ""),
    CONF_SECS(ST, retry_delay, "retry_delay", "1s", 1, 0, ""),
    CONF_SECS(ST, timeout, "timeout", "100s", 1, 0, ""),
    CONF_INT(ST, try_limit, "try_limit", "2", 1, 0, ""),
};

static struct slice unbrace(struct slice text)
{
	text = slice_trim(text);
	if (text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}')
		text = slice_trim(slice_of(text.data + 1, text.len - 2));
	return text;
}

static int set(struct policy *p, struct slice item, struct err *err)
{
	const char *equals = item.len ? memchr(item.data, '=', item.len) : NULL;
	struct slice name, value;

	if (!equals)
		return err_set(err, 0, "\"%.*s\": expected name=value", SLICE_ARG(item));
	name = slice_trim(slice_of(item.data, (size_t)(equals - item.data)));
	value = slice_trim(slice_of(equals + 1, item.len - (size_t)(equals + 1 - item.data)));
	for (size_t i = 0; i < ARRAY_LEN(setting_rows); i++) {
		const struct conf_param *row = &setting_rows[i];
		const char *text = arena_strndup(&p->arena, value.data, value.len);
		void *at = (char *)&p->settings + row->offset;

		if (!slice_eq(name, row->name))
			continue;
		if (row->kind == &conf_kind_text) {
			*(const char **)at = text;
			return 0;
		}
		return row->kind->parse(NULL, row, text, at, err);
	}
	return err_set(err, 0,
	    "\"%.*s\": expected default_action, max_idle, max_ttl, policy_context, "
	    "request_limit, retry_delay, timeout or try_limit",
	    SLICE_ARG(name));
}

static int parse(struct policy *p, const char *text, struct err *err)
{
	struct slice whole = unbrace(slice_text(text)), item;
	const char *list = arena_strndup(&p->arena, whole.data, whole.len), *at = list;

	if (*text != '{') {
		p->endpoint = list;
		return 0;
	}
	if (!table_list_next(&at, &item))
		return err_set(err, 0, "empty policy service: \"%s\"", text);
	p->endpoint = arena_strndup(&p->arena, item.data, item.len);
	while (table_list_next(&at, &item))
		if (set(p, unbrace(item), err) < 0)
			return -1;
	return 0;
}

static void disconnect(struct policy *p)
{
	if (p->connected)
		stream_fini(&p->stream);
	p->connected = false;
}

void policy_free(void *value)
{
	struct policy *p = value;

	disconnect(p);
	arena_fini(&p->arena);
	free(p);
}

struct policy *policy_get(struct smtpd *srv, const char *text, struct err *err)
{
	const struct smtpd_params *params = &srv->config->smtpd;
	struct access *a = srv->access;
	struct policy *p = map_get(a->policies, text);

	if (p)
		return p;
	if (map_count(a->policies) >= POLICIES_MAX) {
		err_set(err, 0, "more than %d policy services", POLICIES_MAX);
		return NULL;
	}
	p = alloc_zero(1, sizeof(*p));
	p->settings = (struct policy_settings){
	    .default_action = params->policy_default_action,
	    .policy_context = params->policy_context,
	    .max_idle = params->policy_max_idle,
	    .max_ttl = params->policy_max_ttl,
	    .request_limit = params->policy_request_limit,
	    .retry_delay = params->policy_retry_delay,
	    .timeout = params->policy_timeout,
	    .try_limit = params->policy_try_limit,
	};
	if (parse(p, text, err) < 0)
		goto fail;
	if (!strchr(p->endpoint, ':')) {
		err_set(err, 0, "\"%s\": expected inet:host:port or unix:path", p->endpoint);
		goto fail;
	}
	map_put(a->policies, text, p);
	return p;
fail:
	policy_free(p);
	return NULL;
}

/* ---- the connection ------------------------------------------------------------------------- */

static int connect_inet(const char *text, int timeout_ms, struct err *err)
{
	char host[256], service[12];
	unsigned port = 0;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
	struct net_addr addr;
	int fd = -1, rc;

	if (net_split_host_port(text, host, sizeof(host), &port, err) < 0)
		return -1;
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(*host ? host : "localhost", service, &hints, &all);
	if (rc != 0)
		return err_set(err, EIO, "%s: %s", host, gai_strerror(rc));
	for (struct addrinfo *i = all; i && fd < 0; i = i->ai_next) {
		memset(&addr, 0, sizeof(addr));
		memcpy(&addr.sa, i->ai_addr, i->ai_addrlen);
		addr.len = i->ai_addrlen;
		fd = net_connect(&addr, NULL, timeout_ms, err);
	}
	freeaddrinfo(all);
	return fd;
}

static int open_connection(struct policy *p, struct err *err)
{
	int timeout_ms = clock_ms_of(p->settings.timeout), fd;
	const char *colon = strchr(p->endpoint, ':');
	struct slice type = slice_of(p->endpoint, (size_t)(colon - p->endpoint));

	if (slice_eq(type, "inet"))
		fd = connect_inet(colon + 1, timeout_ms, err);
	else if (slice_eq(type, "unix") || slice_eq(type, "local"))
		fd = net_connect_unix(colon + 1, timeout_ms, err);
	else
		fd = err_set(err, EINVAL, "expected inet:host:port or unix:path");
	if (fd < 0)
		return -1;
	stream_init(&p->stream, fd, timeout_ms);
	p->connected = true;
	p->opened_ms = clock_mono_ms();
	p->requests = 0;
	return 0;
}

/* A connection that was used long enough, or that the server has ended, is not used again. */
static bool is_stale(struct policy *p)
{
	const struct policy_settings *set = &p->settings;
	int64_t now = clock_mono_ms();

	return now - p->used_ms >= clock_ms_of(set->max_idle) ||
	       now - p->opened_ms >= clock_ms_of(set->max_ttl) ||
	       (set->request_limit > 0 && p->requests >= set->request_limit) ||
	       stream_readable(&p->stream);
}

static int fail(struct err *err, enum io_result why)
{
	switch (why) {
	case IO_TIMEOUT:
		return err_set(err, ETIMEDOUT, "%s", strerror(ETIMEDOUT));
	case IO_EOF:
		return err_set(err, EPIPE, "the server has ended the connection");
	case IO_LONG:
		return err_set(err, EPROTO, "a line of more than %d bytes", LINE_MAX_LEN);
	default:
		return err_sys(err, "input or output");
	}
}

/* A line that does not end is not read to its end. */
static enum io_result read_line(struct policy *p, struct str *line)
{
	for (;;) {
		struct slice in = stream_buffered(&p->stream);
		const char *lf = in.len ? memchr(in.data, '\n', in.len) : NULL;
		enum io_result got;

		if (lf || in.len > LINE_MAX_LEN) {
			str_clear(line);
			str_put(line, in.data, lf ? (size_t)(lf - in.data) : 0);
			stream_take(&p->stream, line->len + 1);
			return lf && line->len <= LINE_MAX_LEN ? IO_OK : IO_LONG;
		}
		got = stream_fill(&p->stream);
		if (got != IO_OK)
			return got;
	}
}

/* Reads "name=value" lines up to an empty one; the action goes to out. */
static int read_answer(struct policy *p, struct str *out, struct err *err)
{
	struct str line = {0};
	int result = -1;

	str_clear(out);
	for (int i = 0; i < LINES_MAX; i++) {
		enum io_result got = read_line(p, &line);

		if (got != IO_OK) {
			fail(err, got);
			goto end;
		}
		if (line.len == 0)
			break;
		if (!str_cstr(&line) || !strchr(line.data, '=')) {
			err_set(err, EPROTO, "a line that is no name=value");
			goto end;
		}
		if (strncmp(line.data, "action=", 7) == 0 && out->len == 0)
			str_put_text(out, line.data + 7);
	}
	if (out->len == 0)
		err_set(err, EPROTO, "no action in the answer");
	else if (!chat_utf8_valid(slice_of(out->data, out->len)))
		err_set(err, EPROTO, "malformed UTF-8 in the answer");
	else
		result = 0;
end:
	str_fini(&line);
	return result;
}

static int ask_once(
    struct policy *p, const struct str *request, struct str *action_out, struct err *err)
{
	enum io_result sent;

	if (!p->connected && open_connection(p, err) < 0)
		return -1;
	p->requests++;
	p->stream.deadline_ms = clock_mono_ms() + clock_ms_of(p->settings.timeout);
	sent = stream_put(&p->stream, request->data, request->len);
	if (sent == IO_OK)
		sent = stream_flush(&p->stream);
	if (sent != IO_OK)
		return fail(err, sent);
	if (read_answer(p, action_out, err) < 0)
		return -1;
	p->used_ms = clock_mono_ms();
	return 0;
}

/* false: nobody answered; that is logged. */
static bool ask(struct check *check, struct policy *p, const struct str *request, struct str *out)
{
	struct err err = {0};

	if (p->connected && is_stale(p))
		disconnect(p);
	for (int try = 1; try <= p->settings.try_limit; try++) {
		bool reused = p->connected, connected;

		if (ask_once(p, request, out, &err) == 0) {
			if (p->settings.request_limit == 1)
				disconnect(p);
			return true;
		}
		connected = p->connected;
		disconnect(p);
		if (check->s->srv->service)
			service_alive(check->s->srv->service);
		if (reused && err.code != ETIMEDOUT && err.code != EPROTO) {
			try--; /* it has ended while nobody looked: that is no failure */
			continue;
		}
		if (!connected)
			log_warn("connect to %s: %s", strchr(p->endpoint, ':') + 1,
			    err.code > 0 ? strerror(err.code) : err.text);
		log_warn("problem talking to server %s: %s", strchr(p->endpoint, ':') + 1,
		    err.code > 0 && err.code != EPROTO ? strerror(err.code) : err.text);
		if (try < p->settings.try_limit)
			poll(NULL, 0, clock_ms_of(p->settings.retry_delay));
	}
	return false;
}

/* ---- what is told --------------------------------------------------------------------------- */

static void put_xtext(struct str *out, const char *name, const char *text)
{
	str_printf(out, "%s=", name);
	smtp_xtext_encode(out, text);
	str_put_char(out, '\n');
}

static void put(struct str *out, const char *name, const char *value)
{
	size_t from;

	str_printf(out, "%s=", name);
	from = out->len;
	str_put_text(out, value ? value : "");
	for (size_t i = from; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = '?';
	str_put_char(out, '\n');
}

static void put_client(struct str *out, const struct session *s)
{
	struct net_addr own;
	char address[64] = "", port[12] = "";

	if (net_addr_from_fd(&own, s->stream.fd, false) && own.sa.ss_family != AF_UNIX) {
		net_addr_text(&own, address, sizeof(address));
		snprintf(port, sizeof(port), "%u", net_addr_port(&own));
	}
	put(out, "client_address", s->peer.addr);
	put(out, "client_name", s->peer.name);
	put(out, "client_port", s->peer.port);
	put(out, "reverse_client_name", s->peer.reverse_name);
	put(out, "server_address", address);
	put(out, "server_port", port);
	put(out, "helo_name", s->helo);
}

static uint64_t size_of(const struct session *s)
{
	return s->tx.shaper ? shape_size(s->tx.shaper) : s->tx.size;
}

static void put_request(struct str *out, struct check *check, const struct policy *p)
{
	struct session *s = check->s;
	const struct access *a = s->srv->access;
	const struct transaction *tx = &s->tx;
	const bool whole = check->stage == ACCESS_DATA || check->stage == ACCESS_END_OF_DATA;

	put(out, "request", "smtpd_access_policy");
	put(out, "protocol_state", s->where);
	put(out, "protocol_name", s->protocol);
	put_client(out, s);
	put(out, "sender", tx->sender.given);
	put(out, "recipient", tx->has_rcpt ? tx->rcpt.given : "");
	str_printf(out, "recipient_count=%zu\n", whole ? tx->rcpt_count : 0);
	put(out, "queue_id", tx->id);
	put(out, "instance", tx->instance);
	str_printf(out, "size=%llu\n", (unsigned long long)size_of(s));
	put(out, "etrn_domain", s->etrn_domain);
	put(out, "stress", s->params == &s->srv->stress ? "yes" : "");
	put(out, "sasl_method", session_sasl_method(s));
	put(out, "sasl_username", session_login(s));
	put(out, "sasl_sender", session_sasl_sender(s));
	put_xtext(out, "ccert_subject", session_tls_ccert_subject(s));
	put_xtext(out, "ccert_issuer", session_tls_ccert_issuer(s));
	put(out, "ccert_fingerprint", session_tls_ccert_fingerprint(s));
	put(out, "ccert_pubkey_fingerprint", session_tls_ccert_key_fingerprint(s));
	put(out, "encryption_protocol", session_tls_protocol(s));
	put(out, "encryption_cipher", session_tls_cipher(s));
	str_printf(out, "encryption_keysize=%d\n", session_tls_keysize(s));
	put(out, "policy_context", p->settings.policy_context);
	put(out, "compatibility_level", a->compatibility_level);
	put(out, "mail_version", a->mail_version);
	str_put_char(out, '\n');
}

enum verdict check_policy_service(struct check *check)
{
	struct str request = {0}, action = {0};
	struct err err = {0};
	struct policy *p = policy_get(check->s->srv, check->arg, &err);
	enum verdict verdict;

	if (!p) {
		log_warn("restriction %s must be followed by transport:server: %s",
		    check->kind->name, err.text);
		return check_misconfigured(check);
	}
	put_request(&request, check, p);
	if (!ask(check, p, &request, &action)) {
		str_clear(&action);
		str_put_text(&action, p->settings.default_action);
	}
	verdict = action_run(check, p->endpoint, str_text(&action), "policy query");
	str_fini(&request);
	str_fini(&action);
	return verdict;
}
