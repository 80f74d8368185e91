/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/tls/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_session(struct slice bytes)
{
	struct tls_saved *saved = tls_saved_get(bytes);
	struct str again = {0};

	if (saved) {
		tls_saved_expires(saved);
		tls_saved_put(saved, &again);
	}
	str_fini(&again);
	tls_saved_free(&saved);
}

/* The first byte says what the rest is: protocols, ciphers, options, PEM, a session. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_protocols protocols;
	struct tls_chains chains;
	struct str list = {0};
	struct err err;
	const char *text;
	uint64_t bits;
	char *copy;

	if (size == 0)
		return 0;
	copy = alloc_strndup((const char *)data + 1, size - 1);
	text = copy;
	switch (data[0]) {
	case 'p':
		if (tls_protocols_parse(text, &protocols, &err) == 0)
			must(protocols.excluded != TLS_PROTO_ALL &&
			     tls_protocol_options(&protocols) + 1);
		break;
	case 'c':
		if (tls_cipher_list(&tls_common_defaults, "medium", &text, 1, &list, &err) == 0)
			must(strncmp(str_text(&list), tls_common_defaults.medium_cipherlist,
			         strlen(tls_common_defaults.medium_cipherlist)) == 0);
		break;
	case 'o':
		tls_ssl_options_parse(text, &bits, &err);
		tls_workarounds_parse(text, &bits, &err);
		break;
	case 'k':
		if (tls_chains_parse(
		        "input", slice_of((const char *)data + 1, size - 1), &chains, &err) == 0) {
			must(chains.count > 0 && chains.items[chains.count - 1].leaf);
			tls_chains_free(&chains);
		}
		break;
	default:
		read_session(slice_of((const char *)data + 1, size - 1));
	}
	str_fini(&list);
	free(copy);
	return 0;
}
