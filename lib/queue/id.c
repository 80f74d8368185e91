/* SPDX-License-Identifier: ISC */
#include "lib/queue/id.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* No vowels, so that no id spells a word; 'z' ends the time part of a long id. */
static const char digits52[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

enum { LONG_SECONDS = 6, LONG_MICROS = 4 };

/* value in the given base, at least `width` digits; returns the length. */
static size_t put_base(char *out, uint64_t value, unsigned base, size_t width)
{
	char reversed[16];
	size_t n = 0;

	while (value > 0 && n < sizeof(reversed)) {
		reversed[n++] = digits52[value % base];
		value /= base;
	}
	while (n < width)
		reversed[n++] = digits52[0];
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	return n;
}

void queue_id_make(char out[QUEUE_ID_MAX], int64_t time_us, uint64_t number, bool long_form)
{
	uint64_t seconds = (uint64_t)time_us / 1000000, micros = (uint64_t)time_us % 1000000;
	size_t n;

	if (!long_form) {
		snprintf(
		    out, QUEUE_ID_MAX, "%05X%llX", (unsigned)micros, (unsigned long long)number);
		return;
	}
	n = put_base(out, seconds, 52, LONG_SECONDS);
	n += put_base(out + n, micros, 52, LONG_MICROS);
	out[n++] = 'z';
	n += put_base(out + n, number, 51, 1);
	out[n] = '\0';
}

bool queue_id_valid(const char *id)
{
	size_t len = strlen(id);

	if (len < 6 || len > 40)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = id[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}

bool queue_id_hash_text(const char *id, char out[8])
{
	const char *z = strrchr(id, 'z');
	uint64_t micros = 0;

	if (!z || z - id != LONG_SECONDS + LONG_MICROS) {
		snprintf(out, 8, "%.5s", id);
		return true;
	}
	for (const char *p = z - LONG_MICROS; p < z; p++) {
		const char *digit = strchr(digits52, *p);

		if (!digit)
			return false;
		micros = micros * 52 + (uint64_t)(digit - digits52);
	}
	snprintf(out, 8, "%05X", (unsigned)(micros & 0xfffff));
	return true;
}
