/* SPDX-License-Identifier: ISC */
#include "lib/auth/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/tls/digest.h"

static const char fallback[] = "$6$"; /* where libcrypt has no opinion of its own */

/* crypt_r's state is large (32 kB) and holds secrets: off the stack, and wiped. */
static struct crypt_data *state_new(void)
{
	return alloc_zero(1, sizeof(struct crypt_data));
}

static void state_free(struct crypt_data *state)
{
	digest_wipe(state, sizeof(*state));
	free(state);
}

int password_check(const char *hash, const char *password, bool *match_out, struct err *err)
{
	struct crypt_data *state = state_new();
	const char *made = crypt_r(password, hash, state);
	size_t len = strlen(hash);
	int result = 0;

	*match_out = false;
	if (!made || made[0] == '*')
		result = err_set(err, EINVAL, "crypt(3) does not know the method of a hash");
	else
		*match_out = strlen(made) == len && digest_equal(made, hash, len);
	state_free(state);
	return result;
}

int password_hash(const char *password, const char *method, struct str *out, struct err *err)
{
	/* libcrypt's own cost of bcrypt is that of 1999 */
	unsigned long cost = method && strncmp(method, "$2", 2) == 0 ? 10 : 0;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *state;
	const char *made;
	int result = 0;

	if (!crypt_gensalt_rn(method, cost, NULL, 0, setting, sizeof(setting)) &&
	    (method || !crypt_gensalt_rn(fallback, 0, NULL, 0, setting, sizeof(setting))))
		return err_sys(err, "salt for a password hash");
	state = state_new();
	made = crypt_r(password, setting, state);
	if (!made || made[0] == '*')
		result = err_set(err, EINVAL, "crypt(3) refuses to make a hash");
	else
		str_put_text(out, made);
	state_free(state);
	return result;
}
