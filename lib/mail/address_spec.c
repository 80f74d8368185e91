/* SPDX-License-Identifier: ISC */
#include "lib/mail/address_spec.h"

#include <string.h>

/*
 * RFC 5322 3.4.1:  addr-spec = local-part "@" domain, with CFWS between tokens in the obsolete
 * form; RFC 5321 4.1.2:  Path = "<" [ A-d-l ":" ] Mailbox ">". What people send is wider: dots
 * anywhere, blanks between words, no domain. That is taken unless strict; only what cannot be
 * understood (an open quote, a control character) is refused.
 */

enum { WORDS_MAX = 100 }; /* side by side: bounds the work that a display name can cause */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind the ')' that closes the comment at p. */
static const char *skip_comment(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

const char *spec_skip_cfws(const char *p, const char *end)
{
	while (p && p < end) {
		if (is_blank(*p))
			p++;
		else if (*p == '(')
			p = skip_comment(p, end);
		else
			break;
	}
	return p;
}

/* Could this byte be part of an address at all? Line ends only as blanks between tokens. */
static bool is_text(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 32 && u != 127;
}

/* "..." at p: the content without quoting goes to out. */
static const char *take_quoted(const char *p, const char *end, struct str *out)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		if (*p == '\r' || *p == '\n')
			continue;
		if (!is_text(*p) && *p != '\t')
			return NULL;
		str_put_char(out, *p);
	}
	return p < end ? p + 1 : NULL;
}

/* "[...]" at p: kept with its brackets, without blanks. */
static const char *take_literal(const char *p, const char *end, struct str *out)
{
	for (; p < end && *p != ']'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		if (is_blank(*p))
			continue;
		if (!is_text(*p))
			return NULL;
		str_put_char(out, *p);
	}
	if (p == end)
		return NULL;
	str_put_char(out, ']');
	return p + 1;
}

/* "@a,@b:" at p: what is behind it, or p when it is no source route. */
static const char *skip_route(const char *p, const char *end)
{
	const char *q;

	for (q = p; q < end; q++) {
		if (*q == ':')
			return q + 1;
		if (strchr("<>\"();", *q) || (!is_text(*q) && !is_blank(*q)))
			return p;
	}
	return p;
}

/* An atom; the obsolete "\\x" outside of quotes is part of it. */
static const char *take_atom(struct spec_scan *s, const char *p, struct str *out)
{
	for (; p < s->end && !is_blank(*p) && *p && !strchr("()<>@,;:\"[].", *p); p++) {
		if (*p == '\\' && (s->strict || ++p == s->end))
			return NULL;
		if (!is_text(*p))
			return NULL;
		str_put_char(out, *p);
	}
	return p;
}

/* What the scan knows of the token before. */
enum before { START, WORD, DOT, AT };

static bool strict_order(enum before before, char c)
{
	if (c == '@')
		return before == WORD;
	return c == '.' || before != WORD;
}

/* One token at p into out; *before tells what it was. NULL: it cannot be here. */
static const char *take_token(
    struct spec_scan *s, const char *p, enum before *before, struct str *out)
{
	bool word = *p != '.' && *p != '@' && *p != ':';

	if (s->single && word && *before == WORD)
		return p;
	if (s->strict && (!strict_order(*before, *p) || (*p == '@' && s->has_at)))
		return NULL;
	if (word && *before == WORD) {
		if (++s->words > WORDS_MAX)
			return NULL;
		str_put_char(out, ' ');
	} else if (word && s->words == 0) {
		s->words = 1;
	}
	*before = *p == '@' ? AT : word ? WORD : DOT;
	switch (*p) {
	case '@':
		s->has_at = true;
		FALLTHROUGH;
	case '.':
		str_put_char(out, *p);
		return p + 1;
	case '"':
		/* A domain is never quoted: the last '@' of the internal form has to separate. */
		return s->has_at ? NULL : take_quoted(p, s->end, out);
	case '[':
		return take_literal(p, s->end, out);
	case '<':
	case '>':
	case ')':
	case ']':
	case ',':
	case ';':
		return NULL;
	case ':':
		if (s->strict)
			return NULL;
		str_put_char(out, ':');
		return p + 1;
	default:
		return take_atom(s, p, out);
	}
}

bool spec_scan(struct spec_scan *s, struct str *out)
{
	enum before before = START;
	const char *p = s->p, *next;

	s->first = s->last = NULL;
	s->words = 0;
	s->has_at = s->trailing_at = false;
	while (p < s->end) {
		if (is_blank(*p) || *p == '(') {
			if (strchr(s->stops, *p))
				break;
			p = s->strict ? NULL : spec_skip_cfws(p, s->end);
			if (!p)
				return false;
			continue;
		}
		if (*p && strchr(s->stops, *p))
			break;
		if (!s->first) {
			s->first = p;
			next = *p == '@' ? skip_route(p, s->end) : p;
			if (next != p) {
				p = s->last = next;
				continue;
			}
		}
		next = *p ? take_token(s, p, &before, out) : NULL;
		if (!next)
			return false;
		if (next == p)
			break; /* the second word of several */
		p = s->last = next;
	}
	s->p = p;
	s->trailing_at = before == AT;
	return !(s->strict && s->first && before == AT);
}
