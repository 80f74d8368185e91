/* SPDX-License-Identifier: ISC */
/* The scheduler as it is now: what is under way, what waits and for what. Asked of qmgr(8). */
#include "lib/peer/scheduler.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "commands/postqueue/postqueue.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

/* Tenths below ten seconds, then whole ones. */
static void put_seconds(struct str *out, uint64_t ms)
{
	if (ms < 10000)
		str_printf(out, "%.1f s", (double)ms / 1000);
	else
		str_printf(out, "%llu s", (unsigned long long)((ms + 999) / 1000));
}

/* ---- for people ----------------------------------------------------------------------------- */

/* What a server said comes to the terminal without its control characters. */
static void put_printable(struct str *out, const char *text)
{
	size_t at = out->len;

	str_put_text(out, text);
	if (out->len > at)
		text_make_printable(out->data + at, out->len - at);
}

static void text_rates(struct str *out, const struct frame_list *rates, const char *indent)
{
	const struct scheduler_rate *r = rates->items;

	for (size_t i = 0; i < rates->count; i++, r++) {
		str_printf(out, "%srate of ", indent);
		put_printable(out, r->name);
		str_printf(out, ": %llu in ", (unsigned long long)r->count);
		put_seconds(out, r->period_ms);
		str_printf(out, ", burst %llu, %.1f left", (unsigned long long)r->burst,
		    (double)r->tokens_milli / 1000);
		if (r->opens_ms > 0) {
			str_put_text(out, ", next in ");
			put_seconds(out, r->opens_ms);
		}
		str_put_char(out, '\n');
	}
}

static void text_why(struct str *out, const char *what, uint64_t ms, const char *why)
{
	if (ms == 0)
		return;
	str_printf(out, "        %s for ", what);
	put_seconds(out, ms);
	str_put_text(out, ": ");
	put_printable(out, why);
	str_put_char(out, '\n');
}

static void text_total(struct str *out, const struct scheduler_total *t)
{
	str_printf(out, "active: %u of %u messages, %u of %u recipients%s\n", t->messages,
	    t->message_limit, t->recipients, t->recipient_limit,
	    t->waiting_outside ? "; more wait for room" : "");
}

static void text_transport(struct str *out, const struct scheduler_transport *t)
{
	str_put_char(out, '\n');
	put_printable(out, t->name);
	str_printf(out, ": %u deliveries, %u agents", t->busy, t->agents);
	if (t->agent_limit > 0)
		str_printf(out, " of %u", t->agent_limit);
	str_printf(out, ", %llu destinations", (unsigned long long)t->destinations);
	if (t->unreachable)
		str_put_text(out, ", cannot be reached");
	if (t->opens_ms > 0) {
		str_put_text(out, ", next in ");
		put_seconds(out, t->opens_ms);
	}
	str_put_char(out, '\n');
	text_rates(out, &t->rates, "    ");
}

static void text_dest(struct str *out, const struct scheduler_dest *d)
{
	str_put_text(out, "    ");
	put_printable(out, *d->nexthop ? d->nexthop : "(this host)");
	str_printf(out, ": %u under way, window %u", d->busy, d->window);
	if (d->window_limit > 0)
		str_printf(out, " of %u", d->window_limit);
	str_printf(out, ", waiting: %llu deliveries, %llu messages, %llu recipients",
	    (unsigned long long)d->deliveries, (unsigned long long)d->messages,
	    (unsigned long long)d->recipients);
	if (d->opens_ms > 0) {
		str_put_text(out, ", next in ");
		put_seconds(out, d->opens_ms);
	}
	if (*d->host) {
		str_put_text(out, ", by ");
		put_printable(out, d->host);
	}
	str_put_char(out, '\n');
	text_why(out, "at rest", d->rest_ms, d->rest_reason);
	text_why(out, "backing off", d->pause_ms, d->pause_reason);
	text_rates(out, &d->rates, "        ");
}

static void text_part(uint16_t type, const void *value, void *arg)
{
	if (type == SCHEDULER_TOTAL)
		text_total(arg, value);
	else if (type == SCHEDULER_TRANSPORT)
		text_transport(arg, value);
	else
		text_dest(arg, value);
}

/* ---- for programs: an object to a line ------------------------------------------------------ */

static void put_number(struct str *out, const char *name, uint64_t value)
{
	str_printf(out, ", \"%s\": %llu", name, (unsigned long long)value);
}

static void put_text(struct str *out, const char *name, const char *value)
{
	str_printf(out, ", \"%s\": ", name);
	json_put_text(out, value);
}

static void put_ms(struct str *out, const char *name, uint64_t ms)
{
	str_printf(out, ", \"%s\": %.3f", name, (double)ms / 1000);
}

static void json_rates(struct str *out, const struct frame_list *rates)
{
	const struct scheduler_rate *r = rates->items;

	str_put_text(out, ", \"rates\": [");
	for (size_t i = 0; i < rates->count; i++, r++) {
		str_put_text(out, i > 0 ? ", {\"name\": " : "{\"name\": ");
		json_put_text(out, r->name);
		put_number(out, "count", r->count);
		put_ms(out, "period", r->period_ms);
		put_number(out, "burst", r->burst);
		put_ms(out, "tokens", r->tokens_milli);
		put_ms(out, "next_in", r->opens_ms);
		str_put_char(out, '}');
	}
	str_put_text(out, "]}\n");
}

static void json_total(struct str *out, const struct scheduler_total *t)
{
	str_put_text(out, "{\"type\": \"total\"");
	put_number(out, "messages", t->messages);
	put_number(out, "message_limit", t->message_limit);
	put_number(out, "recipients", t->recipients);
	put_number(out, "recipient_limit", t->recipient_limit);
	str_printf(out, ", \"more_waiting\": %s}\n", t->waiting_outside ? "true" : "false");
}

static void json_transport(struct str *out, const struct scheduler_transport *t)
{
	str_put_text(out, "{\"type\": \"transport\"");
	put_text(out, "transport", t->name);
	put_number(out, "busy", t->busy);
	put_number(out, "agents", t->agents);
	put_number(out, "agent_limit", t->agent_limit);
	put_number(out, "destinations", t->destinations);
	str_printf(out, ", \"unreachable\": %s", t->unreachable ? "true" : "false");
	put_ms(out, "next_in", t->opens_ms);
	json_rates(out, &t->rates);
}

static void json_dest(struct str *out, const struct scheduler_dest *d)
{
	str_put_text(out, "{\"type\": \"destination\"");
	put_text(out, "transport", d->transport);
	put_text(out, "nexthop", d->nexthop);
	put_text(out, "host", d->host);
	put_number(out, "busy", d->busy);
	put_number(out, "window", d->window);
	put_number(out, "window_limit", d->window_limit);
	put_number(out, "deliveries", d->deliveries);
	put_number(out, "messages", d->messages);
	put_number(out, "recipients", d->recipients);
	put_ms(out, "next_in", d->opens_ms);
	put_ms(out, "rest", d->rest_ms);
	put_text(out, "rest_reason", d->rest_reason);
	put_ms(out, "backoff", d->pause_ms);
	put_text(out, "backoff_reason", d->pause_reason);
	json_rates(out, &d->rates);
}

static void json_part(uint16_t type, const void *value, void *arg)
{
	if (type == SCHEDULER_TOTAL)
		json_total(arg, value);
	else if (type == SCHEDULER_TRANSPORT)
		json_transport(arg, value);
	else
		json_dest(arg, value);
}

/* ---- */

static int show(struct postqueue *q, void (*part)(uint16_t type, const void *value, void *arg))
{
	struct str out = {0};
	struct err err;
	int rc;

	postqueue_require(
	    "authorized_mailq_users", q->params.authorized_mailq_users, "view the mail queue");
	rc = scheduler_ask("public/qmgr", q->params.trigger_timeout * 1000, part, &out, &err);
	if (rc == 0)
		fwrite(out.data, 1, out.len, stdout);
	str_fini(&out);
	if (rc < 0)
		fatal_exit(EX_UNAVAILABLE, "%s", err.text);
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

int scheduler_text(struct postqueue *q, const char *arg UNUSED)
{
	return show(q, text_part);
}

int scheduler_json(struct postqueue *q, const char *arg UNUSED)
{
	return show(q, json_part);
}
