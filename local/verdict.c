/* SPDX-License-Identifier: ISC */
#include "local/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 2, 0)))
put_text(struct verdict *v, const char *fmt, va_list ap)
{
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
}

static void put_dsn(struct verdict *v, const char *dsn)
{
	snprintf(v->dsn, sizeof(v->dsn), "%s", dsn);
}

void verdict_set(struct verdict *v, enum outcome outcome, const char *dsn, const char *fmt, ...)
{
	va_list ap;

	v->outcome = outcome;
	v->diag[0] = '\0';
	put_dsn(v, dsn);
	va_start(ap, fmt);
	put_text(v, fmt, ap);
	va_end(ap);
}

static const struct {
	int code;
	enum outcome outcome;
	const char *dsn;
} by_errno[] = {
    {EFBIG, OUTCOME_BOUNCED, "5.2.2"},
    {EDQUOT, OUTCOME_DEFERRED, "4.2.2"},
    {ENOSPC, OUTCOME_DEFERRED, "4.3.1"},
    {EAGAIN, OUTCOME_DEFERRED, "4.2.0"},
    {ESTALE, OUTCOME_DEFERRED, "4.2.0"},
    {EACCES, OUTCOME_DEFERRED, "4.2.0"},
    {EPERM, OUTCOME_DEFERRED, "4.2.0"},
    {ENOENT, OUTCOME_DEFERRED, "4.2.0"},
    {0, OUTCOME_DEFERRED, "4.3.0"},
};

void verdict_errno(struct verdict *v, int code, const char *fmt, ...)
{
	size_t row = 0, used;
	va_list ap;

	while (by_errno[row].code && by_errno[row].code != code)
		row++;
	v->outcome = by_errno[row].outcome;
	v->diag[0] = '\0';
	put_dsn(v, by_errno[row].dsn);
	va_start(ap, fmt);
	put_text(v, fmt, ap);
	va_end(ap);
	used = strlen(v->text);
	snprintf(v->text + used, sizeof(v->text) - used, ": %s", strerror(code));
}

void verdict_prefix(struct verdict *v, const char *fmt, ...)
{
	char old[sizeof(v->text)];
	size_t used;
	va_list ap;

	memcpy(old, v->text, sizeof(old));
	va_start(ap, fmt);
	put_text(v, fmt, ap);
	va_end(ap);
	used = strlen(v->text);
	snprintf(v->text + used, sizeof(v->text) - used, "%s", old);
}
