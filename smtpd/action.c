/* SPDX-License-Identifier: ISC */
/* What an access(5) table or a policy service can say about a client, an address, a message. */
#include "smtpd/restrict.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/mail/header.h"
#include "lib/smtp/reply.h"

/* ---- enhanced status codes ------------------------------------------------------------------ */

/*
 * One table serves for clients, senders and recipients alike: X.1.Y is about an address, means
 * something else for a sender than for a recipient, and nothing for who is no address.
 */
static const struct {
	const char *subject, *as_sender, *as_recipient;
} dsn_forms[] = {
    {"1.1", "1.7", "1.1"},
    {"1.2", "1.8", "1.2"},
    {"1.3", "1.7", "1.3"},
    {"1.4", "1.7", "1.4"},
    {"1.5", "1.0", "1.5"},
    {"1.6", "1.7", "1.6"},
    {"1.7", "1.7", "1.3"},
    {"1.8", "1.8", "1.2"},
};

void action_fix_dsn(char dsn[12], const char *class_)
{
	bool is_sender = strcmp(class_, "Sender address") == 0;
	const char *form = "1.0";
	char before[12];

	if (strncmp(dsn + 1, ".1.", 3) != 0)
		return;
	snprintf(before, sizeof(before), "%s", dsn);
	for (size_t i = 0; i < ARRAY_LEN(dsn_forms); i++)
		if (strcmp(dsn + 2, dsn_forms[i].subject) == 0)
			form = is_sender ? dsn_forms[i].as_sender : dsn_forms[i].as_recipient;
	if (!is_sender && strcmp(class_, "Recipient address") != 0)
		form = "0.0";
	strcpy(dsn + 2, form);
	if (strcmp(before, dsn) != 0)
		log_info("mapping DSN status %s into %s status %s", before, class_, dsn);
}

/* ---- actions -------------------------------------------------------------------------------- */

/* One answer being carried out. */
struct action {
	struct check *check;
	const char *table, *datum;
	const char *value; /* the whole of it */
	const char *text;  /* behind the first word */
};

static void log_action(const struct action *a, const char *word, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static void log_action(const struct action *a, const char *word, const char *fmt, ...)
{
	struct str text = {.max = 1800};
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	access_log(a->check->s, word, str_text(&text));
	str_fini(&text);
}

/* "5.1.1 text" in the text behind REJECT. */
static const char *dsn_and_text(const struct action *a, const char *dflt, char dsn[12])
{
	const char *text = smtp_dsn_split(a->text, dsn);

	if (dsn[0] == '\0')
		strcpy(dsn, dflt);
	action_fix_dsn(dsn, a->check->class_);
	return text;
}

static enum verdict refuse_with(const struct action *a, int code, const char *dflt_dsn)
{
	char dsn[12];
	const char *text = dsn_and_text(a, dflt_dsn, dsn);

	return check_refuse(a->check, code, dsn, "<%s>: %s rejected: %s", a->check->name,
	    a->check->class_, *text ? text : "Access denied");
}

static enum verdict do_reject(const struct action *a)
{
	return refuse_with(a, a->check->s->params->access_map_reject_code, "5.7.1");
}

static enum verdict do_defer(const struct action *a)
{
	return refuse_with(a, a->check->s->params->access_map_defer_code, "4.7.1");
}

static enum verdict do_defer_if_reject(const struct action *a)
{
	char dsn[12];
	const char *text = dsn_and_text(a, "4.7.1", dsn);

	return check_defer_if_reject(a->check, a->check->s->params->access_map_defer_code, dsn,
	    "<%s>: %s rejected: %s", a->check->name, a->check->class_,
	    *text ? text : "Service unavailable");
}

static enum verdict do_defer_if_permit(const struct action *a)
{
	char dsn[12];
	const char *text = dsn_and_text(a, "4.7.1", dsn);

	return check_defer_if_permit(a->check, false, a->check->s->params->access_map_defer_code,
	    dsn, "<%s>: %s rejected: %s", a->check->name, a->check->class_,
	    *text ? text : "Service unavailable");
}

static enum verdict do_permit(const struct action *a)
{
	return check_permit_by(
	    a->check, strncasecmp(a->value, "RELAY", 5) ? "OK" : "RELAY", a->table);
}

static enum verdict do_dunno(const struct action *a)
{
	(void)a;
	return VERDICT_DUNNO;
}

static enum verdict do_warn(const struct action *a)
{
	log_action(a, "warn", "%s", a->text);
	return VERDICT_DUNNO;
}

static enum verdict do_info(const struct action *a)
{
	log_action(a, "info", "%s", a->text);
	return VERDICT_DUNNO;
}

/* Where it is kept until the message comes; NULL: there is no message to come. */
static struct access_actions *actions_of(const struct action *a, struct arena **arena_out)
{
	struct session *s = a->check->s;
	enum access_stage stage = a->check->stage;

	if (stage <= ACCESS_HELO && !s->params->delay_reject) {
		*arena_out = &s->arena;
		return &s->access.actions[stage];
	}
	if (stage == ACCESS_ETRN) {
		log_warn("access table %s: action %s is always skipped in "
		         "smtpd_etrn_restrictions",
		    a->table, a->value);
		return NULL;
	}
	*arena_out = &s->tx.arena;
	return &s->tx.actions;
}

static enum verdict do_hold(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions)
		return VERDICT_DUNNO;
	log_action(a, "hold", "<%s>: %s %s", a->check->name, a->check->class_,
	    *a->text ? a->text : "triggers HOLD action");
	actions->hold = true;
	return VERDICT_DUNNO;
}

static enum verdict do_discard(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions)
		return VERDICT_DUNNO;
	log_action(a, "discard", "<%s>: %s %s", a->check->name, a->check->class_,
	    *a->text ? a->text : "triggers DISCARD action");
	actions->discard = true;
	return VERDICT_PERMIT;
}

static enum verdict do_filter(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions)
		return VERDICT_DUNNO;
	if (!*a->text) {
		log_warn("access table %s entry \"%s\" has FILTER entry without value", a->table,
		    a->datum);
	} else if (!strchr(a->text, ':')) {
		log_warn("access table %s entry \"%s\" requires transport:destination", a->table,
		    a->datum);
	} else {
		log_action(a, "filter", "<%s>: %s triggers FILTER %s", a->check->name,
		    a->check->class_, a->text);
		actions->filter = arena_strdup(arena, a->text);
	}
	return VERDICT_DUNNO;
}

static bool has_address(const struct action *a)
{
	if (strchr(a->text, '@'))
		return true;
	log_warn("access table %s entry \"%s\" requires user@domain target", a->table, a->datum);
	return false;
}

static enum verdict do_redirect(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions || !has_address(a))
		return VERDICT_DUNNO;
	log_action(a, "redirect", "<%s>: %s triggers REDIRECT %s", a->check->name, a->check->class_,
	    a->text);
	actions->redirect = arena_strdup(arena, a->text);
	return VERDICT_DUNNO;
}

static void append(struct access_item **list, const char *text, struct arena *arena)
{
	struct access_item *item = arena_zero(arena, 1, sizeof(*item));

	item->text = arena_strdup(arena, text);
	while (*list)
		list = &(*list)->next;
	*list = item;
}

static enum verdict do_bcc(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions || !has_address(a))
		return VERDICT_DUNNO;
	log_action(a, "bcc", "<%s>: %s triggers BCC %s", a->check->name, a->check->class_, a->text);
	append(&actions->bcc, a->text, arena);
	return VERDICT_DUNNO;
}

static enum verdict do_prepend(const struct action *a)
{
	struct arena *arena;
	struct access_actions *actions = actions_of(a, &arena);

	if (!actions)
		return VERDICT_DUNNO;
	if (a->check->stage == ACCESS_END_OF_DATA)
		log_warn("access table %s: action PREPEND must be used before %s", a->table,
		    "smtpd_end_of_data_restrictions");
	else if (header_name_len(slice_text(a->text)) == 0)
		log_warn("access table %s entry \"%s\" requires header: text", a->table, a->datum);
	else
		append(&actions->prepend, a->text, arena);
	return VERDICT_DUNNO;
}

void access_actions_add(
    struct access_actions *to, const struct access_actions *from, struct arena *arena)
{
	to->hold = to->hold || from->hold;
	to->discard = to->discard || from->discard;
	to->filter = from->filter ? from->filter : to->filter;
	to->redirect = from->redirect ? from->redirect : to->redirect;
	for (const struct access_item *i = from->bcc; i; i = i->next)
		append(&to->bcc, i->text, arena);
	for (const struct access_item *i = from->prepend; i; i = i->next)
		append(&to->prepend, i->text, arena);
}

static const struct {
	const char *word;
	enum verdict (*run)(const struct action *a);
} words[] = {
    {"REJECT", do_reject},
    {"DEFER", do_defer},
    {"DEFER_IF_REJECT", do_defer_if_reject},
    {"DEFER_IF_PERMIT", do_defer_if_permit},
    {"OK", do_permit},
    {"RELAY", do_permit},
    {"DUNNO", do_dunno},
    {"WARN", do_warn},
    {"INFO", do_info},
    {"HOLD", do_hold},
    {"DISCARD", do_discard},
    {"FILTER", do_filter},
    {"REDIRECT", do_redirect},
    {"BCC", do_bcc},
    {"PREPEND", do_prepend},
};

static bool all_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.len > 0;
}

/*
 * A pattern's "$1" and what a policy server repeats are a client's words: no control character of
 * theirs comes into a header, an address or a destination.
 */
static const char *without_controls(const char *value, struct arena *arena)
{
	size_t at = 0;
	char *clean;

	while ((unsigned char)value[at] >= 32 && value[at] != 127)
		at++;
	if (!value[at])
		return value;
	clean = arena_strdup(arena, value);
	for (char *p = clean + at; *p; p++) {
		if (*p == '\r' || *p == '\n')
			*p = ' ';
		else if (((unsigned char)*p < 32 && *p != '\t') || *p == 127)
			*p = '?';
	}
	return clean;
}

enum verdict action_run(
    struct check *check, const char *table, const char *given, const char *datum)
{
	const char *value = without_controls(given, &check->s->tx.arena);
	size_t len = strcspn(value, " \t\r\n");
	const char *text = value + len + strspn(value + len, " \t\r\n");
	struct action a = {check, table, datum, value, text};
	struct slice word = slice_of(value, len);
	int code;

	if (check->quiet)
		return VERDICT_PERMIT;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq_nocase(word, words[i].word))
			return words[i].run(&a);
	/* a time or the like, of who has fetched mail before */
	if (all_digits(slice_text(value)))
		return check_permit_by(check, "OK", table);
	if (len == 3 && all_digits(word) && (value[0] == '4' || value[0] == '5')) {
		code = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
		return refuse_with(&a, code, value[0] == '4' ? "4.7.1" : "5.7.1");
	}
	return check_list_text(check, table, value);
}
