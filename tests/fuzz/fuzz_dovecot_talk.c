/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtpd */
/* fuzz-parts: session */
/*
 * What Dovecot's authentication server says, from its handshake on ('!' first: the handshake is the
 * input's too), to a client that tries to log in again and again.
 */
#include <string.h>

#include "tests/fuzz/session/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char client[] =
	    "\0\1EHLO client.example\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\nAUTH LOGIN\r\nam9l\r\n"
	    "c2VjcmV0\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN =\r\nEHLO again.example\r\n"
	    "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n\r\ntext\r\n.\r\n"
	    "QUIT\r\n\x1e"
	    "D";
	struct str input = {0};

	str_put(&input, client, sizeof(client) - 1);
	str_put(&input, (const char *)data, size);
	play_input((const uint8_t *)input.data, input.len);
	str_fini(&input);
	return 0;
}
