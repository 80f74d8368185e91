/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "lib/auth/entry.h"
#include "lib/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Values of tables of users and of tokens. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct user_entry user;
	struct token_entry token;
	struct err err = {.text = ""};

	if (user_entry_parse(text, &user, &err) == 0)
		must(user.disabled || user.hash[0] || user.password[0] || user.has_verifier[0] ||
		     user.has_verifier[1] || user.has_verifier[2]);
	else
		must(err.text[0]);
	err.text[0] = '\0';
	if (token_entry_parse(text, &token, &err) == 0) {
		must(token.user[0] && token.expires >= 0);
		must(token_entry_allows(&token, ""));
		token_entry_allows(&token, "smtp");
	} else {
		must(err.text[0]);
	}
	return 0;
}
