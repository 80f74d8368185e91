/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/base/log.h"
#include "lib/smtp/command.h"
#include "smtp/transaction.h"

/*
 * XFORWARD: for content filters, so that what comes back from them is logged with its first client.
 * Two commands, as Postfix says them; values are xtext. What is not known is not said.
 */
enum { COMMANDS = 2, VALUE_MAX = 255 };

struct attribute {
	const char *name;
	const char *value; /* "" : not known */
	int command;
};

/* Is the attribute among those that the server offers? words: "NAME ADDR PROTO". */
static bool offered(const char *words, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(words, name); at; at = strstr(at + 1, name))
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static const char *known(const char *value)
{
	return text_eq_nocase(value, "unknown") ? "" : value;
}

/* One command, without its line end; false: there is nothing to say in it. */
static bool put_command(const struct transaction *t, int which, struct str *out)
{
	const struct deliver_request *r = t->request;
	bool remote = *r->client_addr;
	const char *address = strchr(r->client_addr, ':')
	                          ? arena_printf(t->d->job->arena, "IPV6:%s", r->client_addr)
	                          : r->client_addr;
	const struct attribute attributes[] = {
	    {"NAME", known(r->client_name), 0},
	    {"ADDR", known(address), 0},
	    {"PORT", known(r->client_port), 0},
	    {"PROTO", known(r->protocol), 1},
	    {"HELO", known(r->helo), 1},
	    {"IDENT", remote ? r->id : "", 1},
	    {"SOURCE", remote ? "REMOTE" : "LOCAL", 1},
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct attribute *a = &attributes[i];

		if (a->command != which || !*a->value || strlen(a->value) > VALUE_MAX ||
		    !offered(t->s->ehlo.xforward, a->name))
			continue;
		str_printf(out, "%s%s=", any ? " " : "XFORWARD ", a->name);
		smtp_xtext_encode(out, a->value);
		any = true;
	}
	return any;
}

bool xforward_read(struct transaction *t)
{
	for (; t->xforwards > 0; t->xforwards--) {
		if (!transaction_await(t, t->d->client->params->helo_timeout, "sending XFORWARD",
		        "XFORWARD command"))
			return false;
		if (t->s->reply.code / 100 != 2)
			log_warn("host %s said: %s (in reply to XFORWARD command)", t->s->name,
			    str_text(&t->s->reply.text));
	}
	return true;
}

bool xforward_say(struct transaction *t)
{
	unsigned features = t->s->ehlo.features;

	if (!(features & FEATURE_XFORWARD) || !t->d->client->content->send_xforward)
		return true;
	for (int i = 0; i < COMMANDS; i++) {
		if (!put_command(t, i, &t->s->stream.out))
			continue;
		str_put(&t->s->stream.out, "\r\n", 2);
		t->xforwards++;
		if (!(features & FEATURE_PIPELINING) && !xforward_read(t))
			return false;
	}
	return true;
}
