/* SPDX-License-Identifier: ISC */
#include "lib/base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct str *out, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (; len > 0; p += 3) {
		size_t n = len < 3 ? len : 3;
		unsigned v =
		    (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0u);
		char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
		    n > 1 ? alphabet[v >> 6 & 63] : '=', n > 2 ? alphabet[v & 63] : '='};

		str_put(out, quad, 4);
		len -= n;
	}
}

int base64_decode(struct str *out, const char *text, size_t len)
{
	if (len % 4)
		return -1;
	for (; len > 0; text += 4, len -= 4) {
		unsigned v = 0;
		int pad = 0;
		char bytes[3];

		for (int i = 0; i < 4; i++) {
			const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

			if (text[i] == '=' && len == 4 && i >= 2)
				pad++;
			else if (!at || pad)
				return -1;
			v = v << 6 | (at ? (unsigned)(at - alphabet) : 0);
		}
		bytes[0] = (char)(v >> 16);
		bytes[1] = (char)(v >> 8);
		bytes[2] = (char)v;
		if ((pad >= 1 && bytes[2]) || (pad == 2 && bytes[1]))
			return -1; /* bits that belong to no byte */
		str_put(out, bytes, (size_t)(3 - pad));
	}
	return 0;
}
