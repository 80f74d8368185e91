/* SPDX-License-Identifier: ISC */
#include "lib/auth/auth.h"

const char auth_unavailable[] = "Connection lost to authentication server";

void auth_answer_fini(struct auth_answer *answer)
{
	str_fini(&answer->challenge);
	str_fini(&answer->reason);
	str_fini(&answer->user);
}

int auth_mechanisms(struct auth *auth, auth_mechanism_fn *each, void *arg, struct err *err)
{
	return auth->ops->mechanisms(auth, each, arg, err);
}

enum sasl_verdict auth_begin(
    struct auth *auth, const struct auth_request *request, struct auth_answer *out)
{
	str_clear(&out->challenge);
	str_clear(&out->reason);
	str_clear(&out->user);
	return auth->ops->begin(auth, request, out);
}

enum sasl_verdict auth_step(struct auth *auth, struct slice response, struct auth_answer *out)
{
	str_clear(&out->challenge);
	str_clear(&out->reason);
	return auth->ops->step(auth, response, out);
}

void auth_cancel(struct auth *auth)
{
	auth->ops->cancel(auth);
}

void auth_free(struct auth **auth)
{
	if (*auth)
		(*auth)->ops->free(*auth);
	*auth = NULL;
}

const struct auth_words *auth_words(const struct auth *auth)
{
	return &auth->ops->words;
}

enum table_age auth_tables_age(const struct auth *auth)
{
	return auth->ops->age ? auth->ops->age(auth) : TABLE_FRESH;
}
