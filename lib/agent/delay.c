/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "lib/agent/delay.h"

void delay_text(char out[DELAY_TEXT_MAX], int64_t us)
{
	char *end;

	if (us < 0)
		us = 0;
	if (us >= 10 * 1000000LL)
		snprintf(out, DELAY_TEXT_MAX, "%lld", (long long)((us + 500000) / 1000000));
	else if (us >= 1000000)
		snprintf(out, DELAY_TEXT_MAX, "%.1f", (double)us / 1e6);
	else
		snprintf(out, DELAY_TEXT_MAX, "%.2f", (double)us / 1e6);
	if (!strchr(out, '.'))
		return;
	end = out + strlen(out);
	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
}

void delay_print(char *out, size_t size, const struct delay_times *t)
{
	char total[DELAY_TEXT_MAX], a[DELAY_TEXT_MAX], b[DELAY_TEXT_MAX], c[DELAY_TEXT_MAX],
	    d[DELAY_TEXT_MAX];
	int64_t active = t->active_us ? t->active_us : t->arrival_us;
	int64_t ready = t->sent_us ? t->sent_us : t->conn_us ? t->done_us : t->handoff_us;

	delay_text(total, t->done_us - t->arrival_us);
	delay_text(a, active - t->arrival_us);
	delay_text(b, t->handoff_us - active);
	delay_text(c, ready - t->handoff_us);
	delay_text(d, t->done_us - ready);
	snprintf(out, size, "delay=%s, delays=%s/%s/%s/%s", total, a, b, c, d);
}
