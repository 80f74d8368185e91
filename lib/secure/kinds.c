/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "lib/secure/secure.h"

static int parse_protocols(struct conf *conf, const struct conf_param *row UNUSED, const char *text,
    void *at, struct err *err)
{
	struct tls_protocols protocols;

	if (tls_protocols_parse(text, &protocols, err) < 0)
		return -1;
	*(const char **)at = arena_strdup(conf_arena(conf), text);
	return 0;
}

static int parse_grade(struct conf *conf UNUSED, const struct conf_param *row UNUSED,
    const char *text, void *at, struct err *err)
{
	static const char *const grades[] = {"null", "export", "low", "medium", "high"};

	for (size_t i = 0; i < ARRAY_LEN(grades); i++) {
		if (text_eq_nocase(text, grades[i])) {
			*(const char **)at = grades[i];
			return 0;
		}
	}
	return err_set(err, 0, "expected null, export, low, medium or high");
}

const struct conf_kind secure_kind_protocols = {
    "protocols", "protocols such as >=TLSv1.2, !TLSv1.1", parse_protocols};
const struct conf_kind secure_kind_grade = {
    "grade", "null, export, low, medium or high", parse_grade};
