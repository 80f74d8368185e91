/* SPDX-License-Identifier: ISC */
#include "qmgr/gate.h"

#include "qmgr/qmgr.h"

int64_t gate_transport_opens(const struct transport *t)
{
	return t->gate.next_ms;
}

int64_t gate_dest_opens(const struct dest *dest)
{
	return dest->gate.next_ms;
}

/* One delivery a rate delay, whoever it goes to. */
void gate_started(struct dest *dest)
{
	struct transport *t = dest->transport;
	int64_t now = loop_now_ms(t->qmgr->loop);

	if (t->set.transport_rate_delay > 0)
		t->gate.next_ms = now + (int64_t)t->set.transport_rate_delay * 1000;
}

/* The pause is between deliveries: it begins when one ends. */
void gate_ended(struct dest *dest, const struct deliver_result *result)
{
	const struct transport *t = dest->transport;

	(void)result;
	if (t->set.rate_delay > 0)
		dest->gate.next_ms = loop_now_ms(t->qmgr->loop) + (int64_t)t->set.rate_delay * 1000;
}

void gate_forget(struct dest *dest)
{
	(void)dest; /* rate delays are no failures */
}
