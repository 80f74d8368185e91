/* SPDX-License-Identifier: ISC */
/*
 * The shared form of TLS: tlsproxy(8) does it, and this session talks plain text to tlsproxy, by a
 * descriptor that can go to scache(8) and to another process like that of any plain connection.
 */
#include "smtp/proxy.h"

#include "lib/base/attr.h"
#include "lib/base/base64.h"
#include "lib/sys/fd.h"
#include "smtp/engine.h"

int proxy_connect(struct engine *e, const struct tls_context *context)
{
	return e->proxy ? tlsproxy_connect(e->proxy, tls_context_identity(context)) : -1;
}

static void put_lists(
    const struct tls_client_config *config, struct arena *arena, struct tlsproxy_request *out)
{
	struct tlsproxy_name *names = arena_zero(arena, config->name_count + 1, sizeof(*names));
	struct tlsproxy_tlsa *tlsa = arena_zero(arena, config->tlsa_count + 1, sizeof(*tlsa));

	for (size_t i = 0; i < config->name_count; i++)
		names[i].text = config->names[i];
	for (size_t i = 0; i < config->tlsa_count; i++) {
		const struct tls_tlsa *from = &config->tlsa[i];
		struct str data = {0};

		base64_encode(&data, from->data, from->len);
		tlsa[i] = (struct tlsproxy_tlsa){from->usage, from->selector, from->matching,
		    arena_strdup(arena, str_text(&data))};
		str_fini(&data);
	}
	out->names = (struct frame_list){names, config->name_count};
	out->tlsa = (struct frame_list){tlsa, config->tlsa_count};
}

/* No time limit of the dialogue is longer: who is quiet for that long has gone or was stopped. */
static uint32_t idle_limit_ms(const struct smtp_params *p)
{
	const int limits[] = {p->helo_timeout, p->mail_timeout, p->rcpt_timeout,
	    p->data_init_timeout, p->data_xfer_timeout, p->data_done_timeout, p->rset_timeout,
	    p->quit_timeout, p->reuse_time_limit, p->cache_time_limit};
	int most = 0;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		most = MAX(most, limits[i]);
	return (uint32_t)MIN((int64_t)most * 1000 + 10000, INT32_MAX);
}

int proxy_start(const struct smtp_client *c, struct session *s, int sock,
    const struct tls_client_config *config, int64_t limit_ms, struct arena *arena,
    struct tlsproxy_outcome *out)
{
	struct tlsproxy_request request = {.peer = config->peer,
	    .name = config->name,
	    .log_level = (uint32_t)config->log_level,
	    .verify = (uint32_t)config->verify,
	    .lmtp = c->lmtp,
	    .cipherlist = config->cipherlist,
	    .protocol_min = (uint32_t)config->protocols.min,
	    .protocol_max = (uint32_t)config->protocols.max,
	    .protocols_excluded = config->protocols.excluded,
	    .trust_anchors = config->trust_anchors,
	    .digest = config->digest,
	    .tlsa_base = config->tlsa_base,
	    .resume_key = s->resume_key,
	    .limit_ms = (uint32_t)MIN(MAX(limit_ms, 1), INT32_MAX),
	    .idle_ms = idle_limit_ms(c->params)};
	struct str beyond = {0};
	int rc;

	put_lists(config, arena, &request);
	rc = tlsproxy_start(c->tls->proxy, sock, s->stream.fd, &request, arena, out, &beyond);
	if (rc < 0 || out->result != TLS_STARTED) {
		fd_close(&sock);
	} else {
		fd_close(&s->stream.fd);
		s->stream.fd = sock;
		str_put(&s->stream.in, beyond.data, beyond.len);
	}
	str_fini(&beyond);
	return rc;
}
