/* SPDX-License-Identifier: ISC */
/* What goes over the wire, in the log: levels 3 (handshakes) and 4 (all). */
#include "lib/tls/internal.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"

enum { PER_LINE = 16, SHOWN_CHARS = 40 };

static char printable(unsigned char c)
{
	return c >= ' ' && c <= '~' ? (char)c : '.';
}

/* "0010 61 62 ..|..  ab...... ........" */
static void log_line(size_t offset, const unsigned char *bytes, size_t len)
{
	char hex[3 * PER_LINE + 1] = "", text[PER_LINE + 2];
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		snprintf(hex + 3 * i, 4, "%02x%c", bytes[i], i == PER_LINE / 2 - 1 ? '|' : ' ');
		if (i == PER_LINE / 2)
			text[at++] = ' ';
		text[at++] = printable(bytes[i]);
	}
	text[at] = '\0';
	log_info("%04zx %-*s %s", offset, 3 * PER_LINE, hex, text);
}

static void log_bytes(const unsigned char *bytes, size_t len)
{
	size_t whole = len;

	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i += PER_LINE)
		log_line(i, bytes + i, MIN(len - i, (size_t)PER_LINE));
	if (len < whole)
		log_info("%04zx - <SPACES/NULLS>", len);
}

static long on_transfer(
    BIO *bio, int what, const char *data, size_t len, int argi, long argl, int result, size_t *done)
{
	bool in = what == (BIO_CB_READ | BIO_CB_RETURN);

	(void)argi, (void)argl;
	if (!in && what != (BIO_CB_WRITE | BIO_CB_RETURN))
		return result;
	if (result > 0 && done) {
		log_info("%s %p [%p] (%zu bytes => %zu (0x%zX))", in ? "read from" : "write to",
		    (void *)bio, (const void *)data, len, *done, *done);
		log_bytes((const unsigned char *)data, *done);
	} else {
		log_info("%s %p [%p] (%zu bytes => %d)", in ? "read from" : "write to", (void *)bio,
		    (const void *)data, len, result);
	}
	return result;
}

void tls_dump(SSL *ssl, bool on)
{
	BIO_callback_fn_ex callback = on ? on_transfer : NULL;

	BIO_set_callback_ex(SSL_get_rbio(ssl), callback);
	if (SSL_get_wbio(ssl) != SSL_get_rbio(ssl))
		BIO_set_callback_ex(SSL_get_wbio(ssl), callback);
}

void tls_dump_chars(const char *what, const void *data, size_t len)
{
	char text[SHOWN_CHARS + 1];
	size_t shown = MIN(len, (size_t)SHOWN_CHARS);

	memcpy(text, data, shown);
	text[shown] = '\0';
	text_make_printable(text, shown);
	log_info("%s %zu chars: %s", what, len, text);
}
