/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/sendmail/sendmail.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"

/* The name in the user database: up to the first comma, '&' stands for the login name. */
static char *gecos_name(const struct passwd *user)
{
	struct str name = {0};

	for (const char *p = user->pw_gecos ? user->pw_gecos : ""; *p && *p != ','; p++) {
		size_t at = name.len;

		if (*p != '&') {
			str_put_char(&name, *p);
			continue;
		}
		str_put_text(&name, user->pw_name);
		if (name.len > at)
			name.data[at] = (char)toupper((unsigned char)name.data[at]);
	}
	str_put(&name, "", 0);
	return name.data ? str_steal(&name) : alloc_strdup("");
}

/* What becomes one line of an envelope may hold no line ends. */
static char *one_line(const char *text)
{
	char *copy = alloc_strndup(text, MIN(strlen(text), (size_t)MAILDROP_TEXT_MAX / 2));

	for (char *p = copy; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	}
	return copy;
}

static void take_first(void *arg, const char *address)
{
	struct str *out = arg;

	if (!out->len)
		str_put_text(out, address);
}

static void parse_sender(struct sendmail *s, const char *text)
{
	size_t used = 0;
	struct slice whole = slice_trim(slice_text(text));

	str_clear(&s->sender);
	if (whole.len == 0 || slice_eq(whole, "<>"))
		return;
	if (address_parse_path(whole, false, &s->sender, &used) == 0 && used == whole.len)
		return;
	str_clear(&s->sender);
	if (address_each(whole, take_first, &s->sender) == 1)
		return;
	log_warn("-f option specified malformed sender: %s", text);
	if (!s->sender.len)
		str_put(&s->sender, whole.data, strcspn(whole.data, " \t"));
}

void sender_find(struct sendmail *s)
{
	const char *env = getenv("NAME");
	const struct passwd *user;
	char *name = NULL, *text;

	s->uid = getuid();
	user = getpwuid(s->uid);
	if (!user && !s->sender_text)
		fatal_exit(EX_OSERR, "no login name found for user ID %lu", (unsigned long)s->uid);
	s->login = alloc_strdup(user ? user->pw_name : "unknown");
	if (!s->full_name && !env && user)
		name = gecos_name(user);
	s->full_name = one_line(s->full_name ? s->full_name : env ? env : name ? name : "");
	free(name);
	text = one_line(s->sender_text ? s->sender_text : s->login);
	parse_sender(s, text);
	free(text);
}
