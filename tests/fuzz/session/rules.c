/* SPDX-License-Identifier: ISC */
/*
 * What holds in each session, whatever the client sends: seen at the seams between smtpd's modules
 * and the libraries below them, with other means than theirs.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/io/stream.h"
#include "lib/tls/session.h"
#include "tests/fuzz/session/rules.h"

enum io_result __real_stream_put(struct stream *s, const void *data, size_t len);
enum io_result __wrap_stream_put(struct stream *s, const void *data, size_t len);
enum io_result __real_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr);
enum io_result __wrap_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr);
void __real_transcript_in(struct transcript *t, const char *text, size_t len);
void __wrap_transcript_in(struct transcript *t, const char *text, size_t len);
enum tls_start __real_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err);
enum tls_start __wrap_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err);

struct seen seen;

void rules_begin(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.due = 1;
	body_begin();
	log_rules_begin();
	kept_begin();
}

void rules_end(void)
{
	/* a farewell that nobody asked for may stand at the end; lost clients hear less */
	must(seen.replies <= seen.due + 1);
	must(seen.open_code[0] == '\0');
	must(seen.commits <= seen.ends);
	kept_settled();
	body_begin();
}

static bool is_ours(const struct stream *s)
{
	return play.running && s == &play.session.stream;
}

/* ---- replies and commands ------------------------------------------------------------------- */

static void look_at_reply_line(const char *line, size_t len)
{
	must(len >= 3 && line[0] >= '2' && line[0] <= '5');
	for (int i = 1; i < 3; i++)
		must(line[i] >= '0' && line[i] <= '9');
	for (size_t i = 0; i < len; i++)
		must((unsigned char)line[i] >= 32 && line[i] != 127);
	must(len == 3 || line[3] == ' ' || line[3] == '-');
	must(!seen.open_code[0] || memcmp(seen.open_code, line, 3) == 0);
	if (len > 3 && line[3] == '-') {
		memcpy(seen.open_code, line, 3);
	} else {
		seen.open_code[0] = '\0';
		seen.replies++;
	}
}

enum io_result __wrap_stream_put(struct stream *s, const void *data, size_t len)
{
	const char *at = data, *end = at + len, *lf;

	if (is_ours(s)) {
		while (at < end) {
			lf = memchr(at, '\n', (size_t)(end - at));
			must(lf && lf > at && lf[-1] == '\r');
			look_at_reply_line(at, (size_t)(lf - 1 - at));
			kept_reply(at, (size_t)(lf - 1 - at));
			at = lf + 1;
		}
	}
	return __real_stream_put(s, data, len);
}

/* RFC 3207 4.2: what was said before TLS is forgotten. */
static void look_behind_tls(const struct session *s)
{
	must(!s->helo && !s->login && !s->tx.active && s->tx.rcpt_count == 0);
	seen.fresh_tls = false;
}

/* Nobody is logged in but by the authentication server, or a trusted front end's word. */
static void look_at_login(const struct session *s)
{
	const struct smtpd_auth_params *auth = &s->srv->config->auth;

	if (s->login && !seen.xclient)
		must(auth->enable && (auth->type == AUTH_TABLE || play.logins > 0));
}

static bool begins_with(const struct str *line, const char *word)
{
	size_t len = strlen(word);
	const char *text = str_text(line);

	while (*text == ' ' || *text == '\t')
		text++;
	return strncasecmp(text, word, len) == 0;
}

enum io_result __wrap_stream_read_line(
    struct stream *s, struct str *line, size_t limit, bool keep_cr)
{
	enum io_result result;

	if (!is_ours(s))
		return __real_stream_read_line(s, line, limit, keep_cr);
	must(seen.replies == seen.due && !seen.open_code[0]);
	must(seen.commits <= seen.commits_before + 1);
	seen.commits_before = seen.commits;
	kept_settled();
	if (seen.fresh_tls)
		look_behind_tls(&play.session);
	look_at_login(&play.session);
	result = __real_stream_read_line(s, line, limit, keep_cr);
	if (result == IO_OK || result == IO_LONG) {
		seen.due++;
		/* a command filter may make BDAT of other words */
		seen.ends += begins_with(line, "BDAT") || begins_with(line, "X-");
		seen.xclient |= begins_with(line, "XCLIENT") || begins_with(line, "X-");
	}
	return result;
}

/* Of AUTH a postmaster gets to see the mechanism and nothing more. */
void __wrap_transcript_in(struct transcript *t, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	int words = 0;

	while (at < end) {
		const char *word = at;

		while (at < end && *at != ' ' && *at != '\t')
			at++;
		if (at > word && words++ == 0 &&
		    (at - word != 4 || strncasecmp(word, "AUTH", 4) != 0))
			break;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
	}
	must(words <= 2);
	__real_transcript_in(t, text, len);
}

enum tls_start __wrap_tls_server_start(struct tls_context *context, struct stream *stream,
    const struct tls_server_config *config, struct tls_session **out, struct err *err)
{
	enum tls_start result;

	client_tls();
	result = __real_tls_server_start(context, stream, config, out, err);
	if (result == TLS_STARTED) {
		must(stream_buffered(stream).len == 0);
		seen.fresh_tls = true;
	}
	return result;
}

/* ---- what is accepted ----------------------------------------------------------------------- */

/* Is mail for this address ours to take, from anybody? */
static bool is_for_us(const char *address)
{
	static const char *const ours[] = {"example.test", "relay.example", "mx.example.test",
	    "alias.example", "[127.0.0.1]", "[IPv6:::1]"};
	const char *at = strrchr(address, '@');
	const char *local_end = at ? at : address + strlen(address);

	for (const char *p = address; p < local_end; p++)
		if (*p == '@' || *p == '%' || *p == '!')
			return false;
	if (!at)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		const char *domain = at + 1;
		size_t extra = strlen(domain) - MIN(strlen(domain), strlen(ours[i]));

		if (strcasecmp(domain + extra, ours[i]) == 0 &&
		    (extra == 0 || domain[extra - 1] == '.'))
			return true;
	}
	return false;
}

static bool may_relay(struct session *s)
{
	return strncmp(s->peer.addr, "127.", 4) == 0 || s->login;
}

void rules_look_at_transaction(struct session *s)
{
	must(s->tx.active && s->tx.rcpt_count > 0);
	must(rules_clean(s->tx.sender.address));
	for (size_t i = 0; i < s->tx.rcpt_count; i++) {
		const struct recipient *rcpt = &s->tx.rcpts[i];

		must(rules_clean(rcpt->address) && rules_clean(rcpt->orig) &&
		     rules_clean(rcpt->orcpt));
		if (!may_relay(s) && !s->tx.actions.discard && !is_for_us(rcpt->address))
			panic("relayed for %s: <%s>", s->peer.namaddr, rcpt->address);
	}
}
