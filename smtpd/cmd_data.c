/* SPDX-License-Identifier: ISC */
/*
 * DATA (RFC 5321 4.1.1.4). Input goes from the stream's buffer through the decoder to the shaper
 * in whole buffers. Whatever is wrong with the message, it is read to its end before the answer.
 */
#include "smtpd/smtpd.h"

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/smtp/dot.h"

/* Content beyond the limit is read and dropped; one byte more tells the shaper of it. */
static bool full(struct session *s)
{
	int64_t limit = s->srv->config->core->message_size_limit;

	return limit > 0 && shape_size(s->tx.shaper) > (uint64_t)limit;
}

static bool receive(struct session *s, struct dot_decoder *decoder)
{
	dot_decoder_init(decoder);
	chat_deadline(s, 0);
	while (!decoder->done) {
		struct slice in = stream_buffered(&s->stream);
		size_t used;

		if (in.len == 0) {
			enum io_result result = stream_fill(&s->stream);

			if (result != IO_OK) {
				chat_failed(s, result);
				return false;
			}
			in = stream_buffered(&s->stream);
			chat_deadline(s, in.len);
			if (s->srv->service)
				service_alive(s->srv->service);
		}
		str_clear(&s->data);
		used = dot_decode(decoder, in.data, in.len, &s->data);
		stream_take(&s->stream, used);
		s->tx.data_bytes += used;
		if (s->data.len > 0 && !full(s))
			shape_put(s->tx.shaper, s->data.data, s->data.len);
	}
	return true;
}

static bool bare_lf_refused(struct session *s, const struct dot_decoder *decoder)
{
	struct err err;

	if (!decoder->saw_bare_lf)
		return false;
	if (s->params->forbid_bare_newline == BARE_NEWLINE_NOTE)
		log_info("%s: bare <LF> received from %s", s->tx.id, s->peer.namaddr);
	return s->params->forbid_bare_newline == BARE_NEWLINE_REJECT &&
	       match_list_host(s->srv->bare_newline_exclusions, s->peer.name, s->peer.addr, &err) !=
	           TABLE_FOUND;
}

static int finish(struct session *s)
{
	struct str reply = {0};
	bool accepted;

	s->where = "END-OF-MESSAGE";
	if (access_data(s, ACCESS_END_OF_DATA)) {
		transaction_end(s);
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	accepted = transaction_commit(s, &reply);
	transaction_end(s);
	if (accepted)
		s->errors = s->junk = 0;
	chat_reply(s, "%s", str_text(&reply));
	str_fini(&reply);
	return accepted ? 0 : -1;
}

int cmd_data(struct session *s, struct slice args)
{
	struct dot_decoder decoder;

	if (s->tx.rcpt_count == 0) {
		chat_reply(s, "554 5.5.1 Error: no valid recipients");
		return -1;
	}
	if (args.len > 0) {
		chat_reply(s, "501 5.5.4 Syntax: DATA");
		return -1;
	}
	if (access_data(s, ACCESS_DATA)) {
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	transaction_open(s);
	chat_reply(s, "354 End data with <CR><LF>.<CR><LF>");
	if (s->end != END_NONE || !receive(s, &decoder))
		return -1;
	if (bare_lf_refused(s, &decoder)) {
		s->end = END_BARE_LF;
		return -1;
	}
	return finish(s);
}
