/* SPDX-License-Identifier: ISC */
/* fuzz-links: smtpd */
/* fuzz-parts: session */
/* A whole SMTP session, with TLS, logins and access rules: tests/fuzz/session/play.h. */
#include "tests/fuzz/session/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	play_input(data, size);
	return 0;
}
