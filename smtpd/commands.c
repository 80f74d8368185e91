/* SPDX-License-Identifier: ISC */
/* The table of commands, and the splitting of their arguments. */
#include "smtpd/smtpd.h"

#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/mail/idna.h"

#define NEED_MAIL "503 5.5.1 Error: need MAIL command"
#define IN_MAIL "503 5.5.1 Error: MAIL transaction in progress"

/* The order is that of the counts in the "disconnect from" line. */
const struct command commands[] = {
    {"HELO", "helo", cmd_helo, COMMAND_JUNK | COMMAND_LAST | COMMAND_PLAIN | COMMAND_ANEW, NULL,
        NULL},
    {"EHLO", "ehlo", cmd_ehlo, COMMAND_JUNK | COMMAND_LAST | COMMAND_PLAIN | COMMAND_ANEW, NULL,
        NULL},
    {"XCLIENT", "xclient", cmd_xclient, COMMAND_JUNK | COMMAND_LAST | COMMAND_PLAIN, NULL, IN_MAIL},
    {"XFORWARD", "xforward", cmd_xforward, COMMAND_JUNK, NULL, IN_MAIL},
    {"STARTTLS", "starttls", cmd_starttls, COMMAND_LAST | COMMAND_PLAIN, NULL, NULL},
    {"AUTH", "auth", cmd_auth, COMMAND_LAST, NULL, NULL},
    {"MAIL", "mail", cmd_mail, COMMAND_HELO, NULL, NULL},
    {"RCPT", "rcpt", cmd_rcpt, 0, NEED_MAIL, NULL},
    {"DATA", "data", cmd_data, COMMAND_LAST, NULL, NULL},
    {"BDAT", "bdat", cmd_bdat, COMMAND_DATA, NULL, NULL},
    {"RSET", "rset", cmd_rset, COMMAND_JUNK | COMMAND_ANEW, NULL, NULL},
    {"NOOP", "noop", cmd_noop, COMMAND_JUNK | COMMAND_LAST | COMMAND_PLAIN, NULL, NULL},
    {"VRFY", "vrfy", cmd_vrfy, COMMAND_JUNK | COMMAND_LAST, NULL, NULL},
    {"ETRN", "etrn", cmd_etrn, COMMAND_JUNK | COMMAND_HELO, NULL,
        "503 Error: MAIL transaction in progress"},
    {"QUIT", "quit", cmd_quit, COMMAND_PLAIN, NULL, NULL},
};
const size_t command_count = ARRAY_LEN(commands);
_Static_assert(ARRAY_LEN(commands) < SMTPD_COMMANDS_MAX, "counters for each and for unknown");

const struct command *command_find(struct slice verb)
{
	for (size_t i = 0; i < command_count; i++)
		if (slice_eq_nocase(verb, commands[i].verb))
			return &commands[i];
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool args_word(struct slice *rest, struct slice *word_out)
{
	size_t at = 0, start;

	while (at < rest->len && is_blank(rest->data[at]))
		at++;
	for (start = at; at < rest->len && !is_blank(rest->data[at]); at++)
		;
	*word_out = slice_of(rest->data + start, at - start);
	*rest = slice_of(rest->data + at, rest->len - at);
	return word_out->len > 0;
}

bool args_option(struct slice word, const char *keyword, struct slice *value_out)
{
	size_t len = strlen(keyword);

	if (word.len <= len || word.data[len] != '=' || strncasecmp(word.data, keyword, len) != 0)
		return false;
	*value_out = slice_of(word.data + len + 1, word.len - len - 1);
	return true;
}

enum cmd_args args_domain(const struct session *s, const char *address)
{
	const char *domain;
	struct slice local;
	char ascii[IDNA_MAX];

	address_split(address, &local, &domain);
	if (domain && domain[0] == '[' && !address_domain_valid(domain))
		return CMD_ARGS_ADDRESS;
	if (idna_is_ascii(address))
		return CMD_ARGS_OK;
	if (s->params->strict_smtputf8 && s->srv->shape->smtputf8_enable && !s->tx.utf8)
		return CMD_ARGS_UNICODE;
	if (!domain || idna_is_ascii(domain))
		return CMD_ARGS_OK;
	return s->tx.utf8 && idna_to_ascii(domain, s->srv->config->core->idna2003, ascii)
	           ? CMD_ARGS_OK
	           : CMD_ARGS_ADDRESS;
}

enum cmd_args args_path(struct session *s, struct slice args, const char *keyword,
    struct str *address, struct slice *rest)
{
	size_t at = strlen(keyword), used;

	if (args.len <= at || strncasecmp(args.data, keyword, at) != 0 || args.data[at] != ':')
		return CMD_ARGS_SYNTAX;
	for (at++; at < args.len && is_blank(args.data[at]); at++)
		;
	args = slice_of(args.data + at, args.len - at);
	if (args.len == 0)
		return CMD_ARGS_SYNTAX;
	str_clear(address);
	if (address_parse_path(args, s->params->strict_rfc821_envelopes, address, &used) < 0 ||
	    !str_cstr(address))
		return CMD_ARGS_ADDRESS;
	if (args_domain(s, str_text(address)) != CMD_ARGS_OK)
		return args_domain(s, str_text(address));
	*rest = slice_of(args.data + used, args.len - used);
	if (rest->len > 0 && !is_blank(rest->data[0]) && used > 0 && !is_blank(args.data[used - 1]))
		return CMD_ARGS_ADDRESS;
	return CMD_ARGS_OK;
}

void args_log_bad(struct session *s, struct slice args, const char *verb)
{
	const char *colon = memchr(args.data, ':', args.len);
	struct slice text = slice_of(colon + 1, (size_t)(args.data + args.len - (colon + 1)));

	log_warn("Illegal address syntax from %s in %s command: %.*s", s->peer.namaddr, verb,
	    SLICE_ARG(slice_trim(text)));
}
