/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/peer/maildrop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read whole is written again, and that is read as the same. */
static void put(struct maildrop_writer *w, const struct maildrop_item *item)
{
	if (item->type == MAILDROP_ENVELOPE)
		maildrop_put_envelope(w, &item->env);
	else if (item->type == MAILDROP_RCPT)
		maildrop_put_rcpt(w, &item->rcpt);
	else if (item->type == MAILDROP_CONTENT)
		maildrop_put_content(w, item->content.data, item->content.len);
	else
		maildrop_put_end(w);
}

static int run(const uint8_t *data, size_t size, size_t piece, struct maildrop_writer *w)
{
	struct maildrop_reader r = {0};
	struct maildrop_item item;
	struct arena arena = {0};
	struct err err;
	int rc = 0, ended = 0;

	for (size_t at = 0; at < size && rc >= 0; at += piece) {
		maildrop_feed(&r, data + at, size - at < piece ? size - at : piece);
		while ((rc = maildrop_next(&r, &arena, &item, &err)) == 1) {
			if (w)
				put(w, &item);
			ended = item.type == MAILDROP_END;
		}
		must(r.in.len - r.at <= MAILDROP_FRAME_MAX + 4 + piece);
	}
	must(rc >= 0 || err.text[0]);
	maildrop_reader_fini(&r);
	arena_fini(&arena);
	return rc < 0 ? -1 : ended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maildrop_writer w = {0};
	int whole = run(data, size, 7, NULL);

	if (run(data, size, size ? size : 1, &w) == 1) {
		must(whole == 1);
		must(run((const uint8_t *)w.out.data, w.out.len, 4096, NULL) == 1);
	}
	maildrop_writer_fini(&w);
	return 0;
}
