/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "local/local.h"
#include "local/subst.h"

const char *delivery_expand(const struct delivery *d, const struct local_user *user,
    const char *text, const char *filter, struct err *err)
{
	const struct subst_value values[] = {
	    {"user", d->user},
	    {"home", user ? user->home : ""},
	    {"shell", user ? user->shell : ""},
	    {"recipient", d->address},
	    {"extension", d->extension},
	    {"domain", d->domain},
	    {"local", d->local_part},
	    {"recipient_delimiter", d->delimiter},
	};
	const struct subst subst = {values, ARRAY_LEN(values), filter};

	return subst_expand(&subst, text, d->arena, err);
}
