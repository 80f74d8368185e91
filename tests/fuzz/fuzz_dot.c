/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same in one piece and in pieces; and content that is encoded comes back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data;
	struct dot_decoder whole, pieces;
	struct str a = {0}, b = {0}, wire = {0};
	size_t at = 0, n, eaten;
	bool start = true;

	dot_decoder_init(&whole);
	eaten = dot_decode(&whole, in, size, &a);
	must(eaten <= size && a.len <= eaten && (whole.done || eaten == size));
	dot_decoder_init(&pieces);
	while (at < size && !pieces.done) {
		n = 1 + data[at] % 7;
		at += dot_decode(&pieces, in + at, n < size - at ? n : size - at, &b);
	}
	must(at == eaten && a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0));
	must(whole.done == pieces.done && whole.saw_bare_lf == pieces.saw_bare_lf);
	must(whole.saw_bare_cr == pieces.saw_bare_cr);
	if (!whole.saw_bare_lf && !whole.saw_bare_cr) {
		dot_encode(&wire, str_text(&a), a.len, &start);
		if (!start)
			str_put_text(&wire, "\r\n");
		str_put_text(&wire, ".\r\n");
		dot_decoder_init(&whole);
		str_clear(&b);
		eaten = dot_decode(&whole, wire.data, wire.len, &b);
		must(whole.done || (a.len > 0 && a.data[a.len - 1] == '\r'));
		must(b.len >= a.len && memcmp(str_text(&a), str_text(&b), a.len) == 0);
	}
	str_fini(&a);
	str_fini(&b);
	str_fini(&wire);
	return 0;
}
