/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/sys/clock.h"
#include "smtpd/limits.h"

/*
 * Limits by account: a login whose password was stolen, or a sender that a script went wild with,
 * is stopped after so many messages or recipients an hour or day, from whatever addresses they
 * come.
 */
enum { HOUR = 3600, DAY = 24 * HOUR };

/* ---- the value of a table ------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t hour, day; /* offsets in struct quota */
} amounts[] = {
    {"messages", offsetof(struct quota, messages_hour), offsetof(struct quota, messages_day)},
    {"recipients", offsetof(struct quota, recipients_hour), offsetof(struct quota, recipients_day)},
};

static const struct {
	const char *name;
	enum quota_action action;
} actions[] = {{"defer", QUOTA_DEFER}, {"reject", QUOTA_REJECT}, {"hold", QUOTA_HOLD}};

/* "100/h": one of a list. */
static int parse_amount(struct slice text, size_t kind, struct quota *out, struct err *err)
{
	const char *slash = memchr(text.data, '/', text.len);
	size_t len = slash ? (size_t)(slash - text.data) : 0;
	struct slice unit = slash ? slice_of(slash + 1, text.len - len - 1) : text;
	uint32_t *at = NULL;
	uint64_t n;

	if (slash && (slice_eq_nocase(unit, "h") || slice_eq_nocase(unit, "hour")))
		at = (uint32_t *)(void *)((char *)out + amounts[kind].hour);
	else if (slash && (slice_eq_nocase(unit, "d") || slice_eq_nocase(unit, "day")))
		at = (uint32_t *)(void *)((char *)out + amounts[kind].day);
	if (!at || len == 0 || !num_u64(text.data, len, UINT32_MAX - 1, &n))
		return err_set(err, 0, "\"%.*s\": expected N/h or N/d, as in %s=100/h,500/d",
		    SLICE_ARG(text), amounts[kind].name);
	*at = (uint32_t)n + 1; /* 0 is "no limit", so that a limit of 0 is one */
	return 0;
}

static int parse_amounts(struct slice text, size_t kind, struct quota *out, struct err *err)
{
	do {
		const char *comma = text.len ? memchr(text.data, ',', text.len) : NULL;
		size_t len = comma ? (size_t)(comma - text.data) : text.len;

		if (parse_amount(slice_of(text.data, len), kind, out, err) < 0)
			return -1;
		len += comma != NULL;
		text = slice_of(text.data + len, text.len - len);
	} while (text.len > 0);
	return 0;
}

static int parse_word(struct slice word, struct quota *out, struct err *err)
{
	const char *equals = memchr(word.data, '=', word.len);
	size_t len = equals ? (size_t)(equals - word.data) : 0;
	struct slice name = slice_of(word.data, len);
	struct slice value = equals ? slice_of(equals + 1, word.len - len - 1) : slice_of("", 0);

	for (size_t i = 0; equals && i < ARRAY_LEN(amounts); i++)
		if (slice_eq_nocase(name, amounts[i].name))
			return parse_amounts(value, i, out, err);
	if (!slice_eq_nocase(name, "action"))
		return err_set(err, 0,
		    "\"%.*s\": expected messages=, recipients= or action=", SLICE_ARG(word));
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (slice_eq_nocase(value, actions[i].name)) {
			out->action = actions[i].action;
			return 0;
		}
	}
	return err_set(err, 0, "\"%.*s\": expected defer, reject or hold", SLICE_ARG(value));
}

int quota_parse(const char *text, struct quota *out, struct err *err)
{
	struct slice rest = slice_trim(slice_text(text));

	*out = (struct quota){.action = QUOTA_DEFER};
	if (rest.len == 0)
		return err_set(err, 0, "empty: expected messages=N/h or the like");
	while (rest.len > 0) {
		size_t len = 0;

		while (len < rest.len && rest.data[len] != ' ' && rest.data[len] != '\t')
			len++;
		if (parse_word(slice_of(rest.data, len), out, err) < 0)
			return -1;
		rest = slice_trim(slice_of(rest.data + len, rest.len - len));
	}
	return 0;
}

/* ---- who is limited, and how much ----------------------------------------------------------- */

/* The name itself, then, for an address, @domain, then "*". */
static enum table_answer find(
    struct table_chain *maps, const char *name, struct str *value, struct err *err)
{
	const char *at = strrchr(name, '@');
	enum table_answer answer = table_chain_get(maps, name, value, err);

	if (answer == TABLE_NOT_FOUND && at)
		answer = table_chain_get(maps, at, value, err);
	if (answer == TABLE_NOT_FOUND)
		answer = table_chain_get(maps, "*", value, err);
	return answer;
}

/* 1: limited, 0: not, -1: nobody knows (logged): the mail has to wait. */
static int quota_of(
    struct table_chain *maps, const char *parameter, const char *name, struct quota *out)
{
	struct str value = {0};
	struct err err = {0};
	enum table_answer answer;
	int result = 0;

	if (table_chain_empty(maps) || !*name)
		return 0;
	answer = find(maps, name, &value, &err);
	if (answer == TABLE_FOUND)
		result = quota_parse(str_text(&value), out, &err) < 0 ? -1 : 1;
	else if (answer == TABLE_ERROR)
		result = -1;
	if (result < 0)
		log_warn("%s: %.100s: %s", parameter, name, err.text);
	str_fini(&value);
	return result;
}

static bool too_much(struct session *s, const char *kind, const char *name,
    const struct quota *quota, const char *what, const char *per, uint32_t count)
{
	static const char *const replies[] = {
	    [QUOTA_DEFER] = "450 4.7.1", [QUOTA_REJECT] = "550 5.7.1", [QUOTA_HOLD] = ""};

	log_warn("%s limit exceeded: %u per %s by %s <%s> from %s%s", what, count, per, kind, name,
	    s->peer.namaddr, quota->action == QUOTA_HOLD ? ": held" : "");
	if (quota->action == QUOTA_HOLD) {
		s->tx.actions.hold = true;
		return false;
	}
	str_clear(&s->reject);
	str_printf(&s->reject, "%s Error: too many %ss per %s by <%s>", replies[quota->action],
	    what, per, name);
	return true;
}

static bool count(struct session *s, const char *kind, const char *name, const struct quota *quota,
    bool recipients)
{
	const struct {
		int rate;
		uint32_t period, limit;
		const char *per;
	} rows[] = {
	    {recipients ? ANVIL_RECIPIENTS_HOUR : ANVIL_MESSAGES_HOUR, HOUR,
	        recipients ? quota->recipients_hour : quota->messages_hour, "hour"},
	    {recipients ? ANVIL_RECIPIENTS_DAY : ANVIL_MESSAGES_DAY, DAY,
	        recipients ? quota->recipients_day : quota->messages_day, "day"},
	};
	uint64_t now = (uint64_t)clock_wall_us() / 1000000;
	struct counter_table *table = s->srv->accounts ? anvil_counters(s->srv->accounts) : NULL;
	struct counter *counter;
	char key[COUNTER_KEY_SIZE];
	bool refused = false;

	anvil_account_key(kind, name, key);
	counter = table ? counters_get(table, key, now) : NULL;
	if (!counter)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t n = counter_add(table, counter, rows[i].rate, 1, now, rows[i].period);

		if (!refused && rows[i].limit && n >= rows[i].limit)
			refused = too_much(s, kind, name, quota,
			    recipients ? "recipient" : "message", rows[i].per, n);
	}
	return refused;
}

static bool check(struct session *s, bool recipients)
{
	const struct {
		struct table_chain *maps;
		const char *parameter, *kind, *name;
	} rows[] = {
	    {s->srv->login_limits, "smtpd_login_limit_maps", "login", session_login(s)},
	    {s->srv->sender_limits, "smtpd_sender_limit_maps", "sender", s->tx.sender.address},
	};
	struct quota quota;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int known = quota_of(rows[i].maps, rows[i].parameter, rows[i].name, &quota);

		if (known < 0) {
			str_clear(&s->reject);
			str_put_text(&s->reject, "451 4.3.0 Error: temporary lookup failure");
			return true;
		}
		if (known > 0 && count(s, rows[i].kind, rows[i].name, &quota, recipients))
			return true;
	}
	return false;
}

bool quota_message(struct session *s)
{
	return check(s, false);
}

bool quota_recipient(struct session *s)
{
	return check(s, true);
}
