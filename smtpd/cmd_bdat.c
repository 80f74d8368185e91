/* SPDX-License-Identifier: ISC */
/*
 * BDAT (RFC 3030): the content in pieces whose sizes the client says, so no byte in it means
 * anything. The client sends a piece without waiting for an answer: it is read in every case, and
 * behind an error all pieces up to the last, or up to RSET, are read and dropped.
 */
#include "smtpd/data.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "smtpd/ehlo.h"

/* "COUNT [LAST]"; false: nobody knows how many bytes follow. */
static bool parse(struct slice args, uint64_t *size_out, bool *last_out)
{
	struct slice count, word, rest = args;

	if (!args_word(&rest, &count))
		return false;
	for (size_t i = 0; i < count.len; i++)
		if (count.data[i] < '0' || count.data[i] > '9')
			return false;
	*last_out = args_word(&rest, &word);
	if (*last_out && !slice_eq_nocase(word, "LAST"))
		return false;
	return slice_trim(rest).len == 0 && num_u64(count.data, count.len, INT64_MAX, size_out);
}

/* How many LF have no CR before them? *before is the byte before data. */
static uint64_t bare_lfs_in(struct slice data, char *before)
{
	const char *at = data.data, *end = data.data + data.len, *lf;
	uint64_t bare = 0;

	for (; at < end && (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1)
		bare += (lf == data.data ? *before : lf[-1]) != '\r';
	if (data.len > 0)
		*before = end[-1];
	return bare;
}

/* Reads the piece; with `keep` it is content. false: the client is gone (s->end). */
static bool receive(struct session *s, uint64_t size, bool keep, uint64_t *bare_lfs)
{
	chat_deadline(s, 0);
	while (size > 0) {
		struct slice in;

		if (stream_buffered(&s->stream).len == 0 && !data_fill(s))
			return false;
		in = stream_buffered(&s->stream);
		in.len = (size_t)MIN(in.len, size);
		if (keep) {
			*bare_lfs += bare_lfs_in(in, &s->tx.last_byte);
			data_put(s, in.data, in.len);
		}
		stream_take(&s->stream, in.len);
		s->tx.data_bytes += in.len;
		size -= in.len;
	}
	return true;
}

/* The pieces that follow are read and dropped. */
static void give_up(struct session *s, bool last)
{
	if (last) {
		transaction_end(s);
	} else {
		shape_abort(&s->tx.shaper);
		s->tx.chunks = CHUNKS_REFUSED;
	}
}

static int discard(struct session *s, uint64_t size, bool last, const char *reply)
{
	struct str text = {0};
	uint64_t unused;

	str_put_text(&text, reply); /* it may be s->reject */
	if (receive(s, size, false, &unused)) {
		give_up(s, last);
		chat_reply(s, "%s", str_text(&text));
	}
	str_fini(&text);
	return -1;
}

/* NULL: the piece is welcome. */
static const char *refuse(struct session *s, uint64_t size, bool last)
{
	const char *id = s->tx.id[0] ? s->tx.id : "NOQUEUE";
	int64_t limit = s->srv->config->core->message_size_limit;

	if (!s->tx.active)
		return "503 5.5.1 Error: need RCPT command";
	if (s->tx.rcpt_count == 0)
		return "554 5.5.1 Error: no valid recipients";
	if (size == 0 && !last) {
		log_warn("%s: null BDAT request from %s", id, s->peer.namaddr);
		return "551 5.7.1 Null BDAT request";
	}
	if (s->tx.chunks == CHUNKS_NONE && access_data(s, ACCESS_DATA))
		return str_text(&s->reject);
	if (limit > 0 && size > (uint64_t)limit - MIN(s->tx.chunk_bytes, (uint64_t)limit)) {
		log_warn(
		    "%s: BDAT request from %s exceeds message size limit", id, s->peer.namaddr);
		return "552 5.3.4 Chunk exceeds message size limit";
	}
	return NULL;
}

static int accept_chunk(struct session *s, uint64_t size, bool last)
{
	uint64_t bare_lfs = 0;

	if (s->tx.chunks == CHUNKS_NONE) {
		transaction_open(s);
		s->tx.chunks = CHUNKS_COMING;
	}
	s->tx.data_bytes = s->tx.chunk_bytes;
	if (!receive(s, size, true, &bare_lfs))
		return -1;
	s->tx.chunk_bytes += size + bare_lfs;
	if (bare_lfs && data_bare_lf(s)) {
		give_up(s, last);
		return -1;
	}
	if (last)
		return data_finish(s);
	chat_reply(s, "250 2.0.0 Ok: %llu bytes", (unsigned long long)size);
	return 0;
}

int cmd_bdat(struct session *s, struct slice args)
{
	const char *refusal;
	uint64_t size;
	bool last;

	if (ehlo_discarded(s, EHLO_CHUNKING)) {
		chat_reply(s, "521 5.5.1 Error: command not implemented");
		return -1;
	}
	if (!parse(args, &size, &last)) {
		log_warn("%s: malformed BDAT command syntax from %s: %.100s",
		    s->tx.id[0] ? s->tx.id : "NOQUEUE", s->peer.namaddr, str_text(&s->line));
		chat_reply(s, "521 5.5.4 Syntax: BDAT count [LAST]");
		return -1;
	}
	if (s->tx.chunks == CHUNKS_REFUSED && (size > 0 || last)) {
		char reply[80];

		snprintf(reply, sizeof(reply), "551 5.0.0 Discarded %llu bytes after earlier error",
		    (unsigned long long)size);
		return discard(s, size, last, reply);
	}
	refusal = refuse(s, size, last);
	return refusal ? discard(s, size, last, refusal) : accept_chunk(s, size, last);
}
