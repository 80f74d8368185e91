/* SPDX-License-Identifier: ISC */
/* How fast a destination's concurrency changes: "1", "1/4", "0.5 / concurrency". */
#include <stdlib.h>
#include <string.h>

#include "lib/conf/conf.h"

static const struct {
	const char *word;
	enum conf_feedback_form form;
} forms[] = {{"concurrency", CONF_FEEDBACK_CONCURRENCY}, {"sqrt_concurrency", CONF_FEEDBACK_SQRT}};

/* Digits with at most one point; moves *text behind it and the blanks that follow. */
static bool take_number(const char **text, double *out)
{
	size_t n = strspn(*text, "0123456789.");
	char digits[32];
	char *end;

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, *text, n);
	digits[n] = '\0';
	*out = strtod(digits, &end); /* no setlocale() anywhere: the point is a point */
	if (*end || end == digits)
		return false;
	*text += n;
	*text += strspn(*text, " \t");
	return true;
}

static bool parse(const char *text, struct conf_feedback *out)
{
	double divisor;

	out->form = CONF_FEEDBACK_CONSTANT;
	if (!take_number(&text, &out->value))
		return false;
	if (*text == '/') {
		text++;
		text += strspn(text, " \t");
		for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
			if (strcmp(text, forms[i].word) == 0) {
				out->form = forms[i].form;
				return out->value <= 1;
			}
		}
		if (!take_number(&text, &divisor) || divisor <= 0)
			return false;
		out->value /= divisor;
	}
	return *text == '\0' && out->value <= 1;
}

static int parse_feedback(struct conf *conf UNUSED, const struct conf_param *row UNUSED,
    const char *text, void *at, struct err *err)
{
	struct conf_feedback value;

	if (!parse(text, &value))
		return err_set(err, 0,
		    "expected a number from 0 to 1, number/number, number/concurrency, or "
		    "number/sqrt_concurrency");
	*(struct conf_feedback *)at = value;
	return 0;
}

const struct conf_kind conf_kind_feedback = {
    "feedback", "a number from 0 to 1, or number/concurrency", parse_feedback};
