/* SPDX-License-Identifier: ISC */
#include "smtpd/dns_list.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/num.h"
#include "lib/dns/dns.h"
#include "lib/sys/clock.h"

enum { COMPLAIN_MS = 3600 * 1000, ANSWERS_MAX = 1000, TEXT_MAX = 1000 };

/* What a list says of one name; kept for the session, so that each recipient is not another
 * question. */
struct list_answer {
	enum dns_status status;
	unsigned char (*addresses)[4];
	size_t count;
	const char *text; /* NULL: not looked up yet */
};

static void ask(struct session *s, const char *name, struct list_answer *out)
{
	struct dns_resolver *resolver = access_resolver(s->srv);
	struct arena arena = {0};
	struct dns_answer answer;

	out->status =
	    resolver ? dns_lookup(resolver, name, DNS_TYPE_A, &arena, &answer) : DNS_RETRY;
	if (out->status == DNS_FOUND) {
		out->addresses = arena_zero(&s->arena, answer.count, 4);
		for (size_t i = 0; i < answer.count; i++) {
			char text[64];

			net_addr_text(&answer.records[i].addr, text, sizeof(text));
			if (inet_pton(AF_INET, text, out->addresses[out->count]) == 1)
				out->count++;
		}
	} else if (out->status != DNS_NOT_FOUND && out->status != DNS_NO_DATA) {
		log_warn(
		    "%s: RBL lookup error: %s", name, resolver ? answer.text : "no name service");
	}
	arena_fini(&arena);
}

static struct list_answer *answer_of(struct session *s, const char *name)
{
	struct access_state *a = &s->access;
	struct list_answer *answer;

	if (!a->answers)
		a->answers = map_new();
	answer = map_get(a->answers, name);
	if (!answer) {
		answer = arena_zero(&s->arena, 1, sizeof(*answer));
		ask(s, name, answer);
		if (map_count(a->answers) < ANSWERS_MAX)
			map_put(a->answers, name, answer);
	}
	return answer;
}

/* All that the list says, as one line. */
static const char *join_texts(struct session *s, const struct dns_answer *txt)
{
	struct str all = {.max = TEXT_MAX};
	const char *text;

	for (size_t i = 0; i < txt->count; i++)
		str_printf(&all, "%s%s", i ? " / " : "", (const char *)txt->records[i].data);
	text = arena_strdup(&s->arena, str_text(&all));
	str_fini(&all);
	return text;
}

static const char *text_of(struct session *s, const char *name, struct list_answer *answer)
{
	struct arena arena = {0};
	struct dns_answer txt;

	if (answer->text)
		return answer->text;
	answer->text = "";
	if (dns_lookup(access_resolver(s->srv), name, DNS_TYPE_TXT, &arena, &txt) == DNS_FOUND)
		answer->text = join_texts(s, &txt);
	else if (dns_status_is_soft(txt.status))
		log_warn("%s: TXT lookup error: %s", name, txt.text);
	arena_fini(&arena);
	return answer->text;
}

const char *listing_text(const struct listing *l)
{
	return text_of(l->check->s, l->name, l->answer);
}

/* ---- "=127.0.0.[2;4..7]" -------------------------------------------------------------------- */

static bool number(const char **at, unsigned *out)
{
	size_t n = strspn(*at, "0123456789");
	uint64_t value;

	if (n == 0 || !num_u64(*at, n, 255, &value))
		return false;
	*out = (unsigned)value;
	*at += n;
	return true;
}

/* 1: the number is in the set, 0: not, -1: malformed */
static int in_set(const char **at, unsigned octet)
{
	unsigned low, high;
	int found = 0;

	if (**at != '[') {
		if (!number(at, &low))
			return -1;
		return low == octet;
	}
	do {
		(*at)++;
		if (!number(at, &low))
			return -1;
		high = low;
		if (strncmp(*at, "..", 2) == 0) {
			*at += 2;
			if (!number(at, &high) || high < low)
				return -1;
		}
		if (octet >= low && octet <= high)
			found = 1;
	} while (**at == ';');
	if (*(*at)++ != ']')
		return -1;
	return found;
}

int rbl_filter_matches(const char *filter, const unsigned char address[4])
{
	int all = 1;

	for (int i = 0; i < 4; i++) {
		int one;

		if (i > 0 && *filter++ != '.')
			return -1;
		one = in_set(&filter, address[i]);
		if (one < 0)
			return -1;
		all = all && one;
	}
	return *filter ? -1 : all;
}

/* ---- one question -------------------------------------------------------------------------- */

bool listing_begin(struct listing *l, struct check *check)
{
	struct session *s = check->s;
	const char *equals = strchr(check->arg, '=');

	*l = (struct listing){.check = check};
	if (!*check->arg) {
		log_warn("restriction %s requires domain name argument", check->kind->name);
		return false;
	}
	l->list = equals ? arena_strndup(&s->tx.arena, check->arg, (size_t)(equals - check->arg))
	                 : check->arg;
	l->filter = equals ? equals + 1 : NULL;
	return true;
}

bool listing_set_name(struct listing *l, const char *what, const char *key)
{
	l->what = what;
	return snprintf(l->name, sizeof(l->name), "%s.%s", key, l->list) < (int)sizeof(l->name) &&
	       dns_name_valid(l->name);
}

static bool is_error(const unsigned char a[4])
{
	return a[0] == 127 && a[1] == 255 && a[2] == 255;
}

/* Nobody reads a line for each message: one an hour says what is to be done. */
static void complain(struct session *s, const char *list, const char *name,
    struct list_answer *answer, const unsigned char a[4])
{
	struct access *access = s->srv->access;
	int64_t now = clock_mono_ms();

	if (access->list_complaint_ms && now - access->list_complaint_ms < COMPLAIN_MS)
		return;
	access->list_complaint_ms = now;
	if (is_error(a))
		log_warn("%s: the list answers %u.%u.%u.%u: it refuses our questions (%s). It "
		         "blocks and permits nobody until it is asked through a name server of "
		         "your own, or with a key; or remove it",
		    list, a[0], a[1], a[2], a[3],
		    *text_of(s, name, answer) ? answer->text : "no reason is given");
	else
		log_warn("%s: the list answers %u.%u.%u.%u, which is not in 127.0.0.0/8: it is no "
		         "list (any more). It blocks and permits nobody; remove it, or name the "
		         "answer as %s=%u.%u.%u.%u",
		    list, a[0], a[1], a[2], a[3], list, a[0], a[1], a[2], a[3]);
}

enum listed listing_ask(struct listing *l)
{
	struct session *s = l->check->s;
	enum listed result = LISTED_NO;

	l->answer = answer_of(s, l->name);
	if (l->filter && rbl_filter_matches(l->filter, (const unsigned char[4]){0}) < 0)
		return LISTED_BAD_FILTER;
	if (l->answer->status != DNS_FOUND)
		return l->answer->status == DNS_NOT_FOUND || l->answer->status == DNS_NO_DATA ||
		               l->answer->status == DNS_INVALID
		           ? LISTED_NO
		           : LISTED_UNKNOWN;
	for (size_t i = 0; i < l->answer->count; i++) {
		const unsigned char *a = l->answer->addresses[i];

		if (is_error(a) || (!l->filter && a[0] != 127))
			complain(s, l->list, l->name, l->answer, a);
		else if (!l->filter || rbl_filter_matches(l->filter, a) > 0)
			result = LISTED_YES;
	}
	return result;
}
