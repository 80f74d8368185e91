/* SPDX-License-Identifier: ISC */
/* The table of commands, and the splitting of their arguments. */
#include "smtpd/smtpd.h"

#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/mail/idna.h"

enum { NESTED_MAX = 64 };

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
    {"BDAT", "bdat", cmd_bdat, 0, NULL, NULL},
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
	return c == ' ' || c == '\t' || c == '\r';
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

/* Where the word at `at` ends: blanks inside "", <> and [] belong to it. open: one is not closed.
 */
static size_t token_end(struct slice text, size_t at, bool *open_out)
{
	char closing[NESTED_MAX]; /* what the open brackets and quotes wait for */
	size_t depth = 0;

	for (; at < text.len; at++) {
		char c = text.data[at];

		if (c == '\\') {
			at++;
		} else if (depth > 0 && c == closing[depth - 1]) {
			depth--;
		} else if (depth > 0 && closing[depth - 1] == '"') {
			continue;
		} else if (depth == 0 && is_blank(c)) {
			break;
		} else if ((c == '"' || c == '<' || c == '[') && depth < NESTED_MAX) {
			closing[depth++] = c;
			closing[depth - 1] = c == '<' ? '>' : c == '[' ? ']' : '"';
		}
	}
	*open_out = depth > 0;
	return MIN(at, text.len);
}

static bool next_token(struct slice *rest, struct slice *token_out, bool *open_out)
{
	size_t at = 0, end;

	while (at < rest->len && is_blank(rest->data[at]))
		at++;
	end = token_end(*rest, at, open_out);
	*token_out = slice_of(rest->data + at, end - at);
	*rest = slice_of(rest->data + end, rest->len - end);
	return token_out->len > 0;
}

bool args_token(struct slice *rest, struct slice *token_out)
{
	bool open;

	return next_token(rest, token_out, &open);
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
	if (address[0] == '-' && !s->srv->config->route.allow_min_user)
		return CMD_ARGS_ADDRESS;
	if (idna_is_ascii(address))
		return CMD_ARGS_OK;
	if (!chat_utf8_valid(slice_text(address)))
		return CMD_ARGS_ADDRESS;
	if (domain && !idna_is_ascii(domain) &&
	    !(s->tx.utf8 && idna_to_ascii(domain, s->srv->config->core->idna2003, ascii)))
		return CMD_ARGS_ADDRESS;
	if (s->params->strict_smtputf8 && s->srv->shape->smtputf8_enable && !s->tx.utf8)
		return CMD_ARGS_UNICODE;
	return CMD_ARGS_OK;
}

/* Brackets more than one pair are nobody's: <<a@b>>, a@b> */
static struct slice without_stray_brackets(struct slice path)
{
	while (path.len > 1 && path.data[0] == '<' && path.data[1] == '<')
		path = slice_of(path.data + 1, path.len - 1);
	while (path.len > 1 && path.data[path.len - 1] == '>' &&
	       (path.data[0] != '<' || path.data[path.len - 2] == '>'))
		path.len--;
	return path;
}

enum cmd_args args_path(struct session *s, struct slice args, const char *keyword,
    struct str *address, struct slice *path_out, struct slice *rest)
{
	size_t at = strlen(keyword), used;
	struct slice path;
	bool open;

	if (args.len <= at || strncasecmp(args.data, keyword, at) != 0 || args.data[at] != ':')
		return CMD_ARGS_SYNTAX;
	*rest = slice_of(args.data + at + 1, args.len - at - 1);
	if (!next_token(rest, path_out, &open))
		return CMD_ARGS_SYNTAX;
	if (open) {
		path_out->len = 0;
		return CMD_ARGS_ADDRESS;
	}
	path = without_stray_brackets(*path_out);
	str_clear(address);
	if (address_parse_path(path, s->params->strict_rfc821_envelopes, address, &used) < 0 ||
	    used != path.len || !str_cstr(address))
		return CMD_ARGS_ADDRESS;
	return args_domain(s, str_text(address));
}

void args_log_bad(struct session *s, struct slice path, const char *verb)
{
	if (path.len > 0)
		log_warn("Illegal address syntax from %s in %s command: %.*s", s->peer.namaddr,
		    verb, SLICE_ARG(path));
}
