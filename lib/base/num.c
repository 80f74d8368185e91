/* SPDX-License-Identifier: ISC */
#include "lib/base/num.h"

#include <string.h>

bool num_u64(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

bool num_int(const char *text, int min, int max, int *out)
{
	bool negative = *text == '-';
	uint64_t value;
	int64_t signed_value;

	if (!num_u64(text + negative, strlen(text + negative), (uint64_t)INT32_MAX + 1, &value))
		return false;
	signed_value = negative ? -(int64_t)value : (int64_t)value;
	if (signed_value < min || signed_value > max)
		return false;
	*out = (int)signed_value;
	return true;
}
