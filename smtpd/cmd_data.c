/* SPDX-License-Identifier: ISC */
/*
 * DATA (RFC 5321 4.1.1.4). Input goes from the stream's buffer through the decoder to the shaper
 * in whole buffers. Whatever is wrong with the message, it is read to its end before the answer.
 */
#include "smtpd/data.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/service/service.h"
#include "lib/smtp/dot.h"
#include "smtpd/restrict.h"

/* Content beyond the limit is read and dropped; one byte more tells the shaper of it. */
static bool full(struct session *s)
{
	int64_t limit = s->srv->config->core->message_size_limit;

	return limit > 0 && shape_size(s->tx.shaper) > (uint64_t)limit;
}

bool data_fill(struct session *s)
{
	enum io_result result = stream_fill(&s->stream);

	if (result != IO_OK) {
		chat_failed(s, result);
		return false;
	}
	chat_deadline(s, stream_buffered(&s->stream).len);
	if (s->srv->service)
		service_alive(s->srv->service);
	return true;
}

void data_put(struct session *s, const char *data, size_t len)
{
	if (len > 0 && !full(s))
		shape_put(s->tx.shaper, data, len);
}

/* For the log: what came in whole lines. */
static void count(struct session *s, struct slice in)
{
	const char *lf = memrchr(in.data, '\n', in.len);
	size_t tail = lf ? (size_t)(in.data + in.len - (lf + 1)) : in.len;

	s->tx.data_bytes += in.len - tail + (lf ? s->tx.data_tail : 0);
	s->tx.data_tail = tail + (lf ? 0 : s->tx.data_tail);
}

static bool receive(struct session *s, struct dot_decoder *decoder)
{
	dot_decoder_init(decoder);
	chat_deadline(s, 0);
	while (!decoder->done) {
		struct slice in;
		size_t used;

		if (stream_buffered(&s->stream).len == 0 && !data_fill(s))
			return false;
		in = stream_buffered(&s->stream);
		str_clear(&s->data);
		used = dot_decode(decoder, in.data, in.len, &s->data);
		count(s, slice_of(in.data, used));
		stream_take(&s->stream, used);
		data_put(s, s->data.data, s->data.len);
	}
	return true;
}

bool data_bare_lf(struct session *s)
{
	bool refused = chat_bare_lf_refused(s);

	s->where = "END-OF-MESSAGE";
	s->tx.rcpt = s->tx.first;
	s->tx.has_rcpt = s->tx.rcpt_count == 1;
	if (refused)
		access_refuse_bare_lf(s);
	else if (s->params->forbid_bare_newline == BARE_NEWLINE_NOTE)
		access_log(s, "note", "bare <LF> received");
	return refused;
}

/* Servers may be asked, and asked again: the log does not wait for them. */
static bool refused_at_end(struct session *s)
{
	bool asks = s->srv->restrictions[ACCESS_END_OF_DATA]->count > 0, refused;

	if (asks)
		log_release();
	refused = access_data(s, ACCESS_END_OF_DATA);
	if (asks)
		log_hold();
	return refused;
}

int data_finish(struct session *s)
{
	struct str reply = {0};
	bool accepted;

	s->where = "END-OF-MESSAGE";
	if (refused_at_end(s)) {
		transaction_end(s);
		chat_reply(s, "%s", str_text(&s->reject));
		return -1;
	}
	accepted = transaction_commit(s, &reply);
	if (accepted) {
		s->errors = s->junk = 0;
		transcript_forgive(s->srv->transcript);
		chat_reply(s, "%s", str_text(&reply));
		chat_flush(s);
		log_release();
		transaction_announce(s);
	}
	transaction_end(s);
	if (!accepted)
		chat_reply(s, "%s", str_text(&reply));
	str_fini(&reply);
	return accepted ? 0 : -1;
}

int cmd_data(struct session *s, struct slice args)
{
	struct dot_decoder decoder;

	if (s->tx.chunks != CHUNKS_NONE) {
		chat_reply(s, "503 5.5.1 Error: DATA after BDAT");
		return -1;
	}
	if (!s->tx.active) {
		chat_reply(s, "503 5.5.1 Error: need RCPT command");
		return -1;
	}
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
	if (decoder.saw_bare_lf && data_bare_lf(s)) {
		transaction_end(s);
		return -1;
	}
	return data_finish(s);
}
