/* SPDX-License-Identifier: ISC */
#include "local/local.h"

#include <time.h>

#include "lib/mail/address.h"

/* A header line made of an address. What cannot stand in one line is not let through. */
static void put_field(
    struct str *out, const char *name, const char *before, const char *address, const char *after)
{
	str_printf(out, "%s: %s", name, before);
	for (const char *p = address; *p; p++)
		str_put_char(out, (unsigned char)*p < ' ' || *p == 127 ? '?' : *p);
	str_printf(out, "%s\n", after);
}

static const char *quoted(const char *address, struct arena *arena)
{
	struct str out = {0};
	const char *copy;

	address_quote(&out, address);
	copy = arena_strdup(arena, str_text(&out));
	str_fini(&out);
	return copy;
}

static void put_from_line(const struct delivery *d, struct str *out)
{
	const char *sender = *d->sender ? quoted(d->sender, d->arena) : "MAILER-DAEMON";
	time_t now = time(NULL);
	struct tm tm;
	char date[64];

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	str_put_text(out, "From ");
	/* A blank inside would end the address for those who read mailboxes. */
	for (const char *p = sender; *p; p++)
		str_put_char(out, (unsigned char)*p <= ' ' ? '_' : *p);
	str_printf(out, "  %s\n", date);
}

void local_put_prefix(const struct delivery *d, const char *kind, int flags, struct str *out)
{
	if (flags & PREFIX_FROM_LINE)
		put_from_line(d, out);
	if (flags & PREFIX_RETURN_PATH)
		put_field(out, "Return-Path", "<", quoted(d->sender, d->arena), ">");
	if (*d->original && d->local->params.enable_original_recipient)
		put_field(out, "X-Original-To", "", quoted(d->original, d->arena), "");
	if (local_list_has(&d->local->params.prepend_delivered_header, kind))
		put_field(out, "Delivered-To", "", quoted(d->rcpt->address, d->arena), "");
}
