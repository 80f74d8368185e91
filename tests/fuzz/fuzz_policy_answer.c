/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtpd */
/* fuzz-parts: session */
/*
 * What a policy server says, before RCPT, DATA and at the end of the message: any access(5) action,
 * and anything else. The session is always the same, and watched over as all are.
 */
#include <string.h>

#include "tests/fuzz/session/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char client[] =
	    "\0\3EHLO client.example\r\nMAIL FROM:<a@b.example>\r\n"
	    "RCPT TO:<bob@example.test>\r\nRCPT TO:<carol@relay.example>\r\n"
	    "DATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n\x1eP";
	struct str input = {0};

	str_put(&input, client, sizeof(client) - 1);
	str_put(&input, (const char *)data, size);
	play_input((const uint8_t *)input.data, input.len);
	str_fini(&input);
	return 0;
}
