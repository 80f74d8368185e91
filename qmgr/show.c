/* SPDX-License-Identifier: ISC */
/*
 * The state of the scheduler for whoever asks (lib/peer/scheduler.h). Put together in one go, which
 * takes as long as there are entries that wait: some milliseconds for a full queue.
 */
#include "lib/peer/scheduler.h"
#include "qmgr/qmgr.h"

enum { SHOWN_RATES = 2 };

static uint64_t until(int64_t when, int64_t now)
{
	return when == GATE_SHUT || when <= now ? 0 : (uint64_t)(when - now);
}

static size_t add_rate(
    struct scheduler_rate *out, size_t n, const struct rate_limit *limit, int64_t now)
{
	double left;

	if (!limit)
		return n;
	left = tokens_left(&limit->tokens, &limit->rate, now);
	out[n] = (struct scheduler_rate){.name = limit->name,
	    .count = (uint64_t)limit->rate.count,
	    .period_ms = (uint64_t)limit->rate.period_ms,
	    .burst = (uint64_t)limit->rate.burst,
	    .tokens_milli = left > 0 ? (uint64_t)(left * 1000) : 0,
	    .opens_ms = until(tokens_opens(&limit->tokens, &limit->rate, now), now)};
	return n + 1;
}

/* One message may have several entries. */
static void count_waiting(const struct dest *dest, struct scheduler_dest *out)
{
	struct map *seen = map_new();

	for (const struct bucket *b = dest->buckets; b; b = b->next) {
		for (size_t i = 0; i < b->entries.count; i++) {
			const struct entry *e =
			    CONTAINER_OF(b->entries.nodes[i], struct entry, place);

			out->recipients += e->count;
			map_put(seen, e->task->mail->id, seen);
		}
	}
	out->deliveries = dest->todo_count;
	out->messages = map_count(seen);
	map_free(&seen, NULL);
}

static void show_dest(const struct dest *dest, struct str *out, int64_t now)
{
	const struct qmgr *q = dest->transport->qmgr;
	const struct slowdown *pause = &dest->gate.slowdown;
	struct scheduler_rate rates[SHOWN_RATES] = {0};
	struct scheduler_dest d = {.transport = dest->transport->name,
	    .nexthop = dest->nexthop,
	    .host = slowdowns_host(&q->slowdowns, dest->nexthop),
	    .busy = (uint32_t)dest->busy,
	    .window = (uint32_t)dest->feedback.window,
	    .window_limit = (uint32_t)dest->transport->set.feedback.limit,
	    .rest_ms = dest->dead_reason ? until(dest->timer.node.key, now) : 0,
	    .rest_reason = dest->dead_reason,
	    .pause_ms = until(pause->until_ms, now),
	    .pause_reason = pause->reason,
	    .opens_ms = until(gate_dest_opens(dest), now)};

	d.rates.items = rates;
	d.rates.count = add_rate(rates, 0, dest->gate.rate, now);
	d.rates.count = add_rate(rates, d.rates.count, dest->gate.mx, now);
	count_waiting(dest, &d);
	frame_encode(out, SCHEDULER_DEST, 0, &scheduler_dest_table, &d);
}

static void show_transport(const struct transport *t, struct str *out, int64_t now)
{
	struct scheduler_rate rates[1] = {0};
	struct scheduler_transport shown = {.name = t->name,
	    .agents = (uint32_t)t->pool.count,
	    .agent_limit = (uint32_t)t->pool.limit,
	    .unreachable = t->dead,
	    .opens_ms = until(gate_transport_opens(t), now)};
	struct str dests = {0};
	const char *key;
	void *value;

	shown.rates = (struct frame_list){rates, add_rate(rates, 0, t->gate.rate, now)};
	for (size_t at = 0; map_next(t->qmgr->dests, &at, &key, &value);) {
		const struct dest *dest = value;

		if (dest->transport != t)
			continue;
		shown.busy += (uint32_t)dest->busy;
		shown.destinations++;
		show_dest(dest, &dests, now);
	}
	frame_encode(out, SCHEDULER_TRANSPORT, 0, &scheduler_transport_table, &shown);
	str_put(out, str_text(&dests), dests.len);
	str_fini(&dests);
}

void show_scheduler(const struct qmgr *q, struct str *out)
{
	const struct scheduler_total total = {.messages = (uint32_t)map_count(q->mails),
	    .message_limit = (uint32_t)q->params->active_limit,
	    .recipients = (uint32_t)q->rcpts_loaded,
	    .recipient_limit = (uint32_t)q->params->recipient_limit,
	    .waiting_outside = q->behind};
	int64_t now = loop_now_ms(q->loop);

	frame_encode(out, SCHEDULER_TOTAL, 0, &scheduler_total_table, &total);
	LIST_EACH (node, &q->transports)
		show_transport(LIST_ITEM(node, struct transport, link), out, now);
	frame_encode(out, SCHEDULER_END, 0, NULL, NULL);
}
