/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <sys/random.h>

#include "lib/base/attr.h"
#include "smtp/mx.h"

/* The order in which the addresses of a destination are tried. */

static void swap(struct mx_addr *a, struct mx_addr *b)
{
	struct mx_addr t = *a;

	*a = *b;
	*b = t;
}

static void shuffle(struct mx_addr *a, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		uint32_t dice = 0;

		if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
			return;
		swap(&a[i - 1], &a[dice % i]);
	}
}

static bool is_before(const struct mx_addr *x, const struct mx_addr *y, int family)
{
	bool x6 = net_addr_is_v6(&x->addr), y6 = net_addr_is_v6(&y->addr);

	if (x->suspect != y->suspect)
		return y->suspect;
	if (x->preference != y->preference)
		return x->preference < y->preference;
	return (family == SMTP_PREFER_V4 && !x6 && y6) || (family == SMTP_PREFER_V6 && x6 && !y6);
}

/* Stable insertion sort: the shuffle among equals stays. Lists are short. */
static void sort(struct mx_addr *a, size_t count, int preference)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && is_before(&a[k], &a[k - 1], preference); k--)
			swap(&a[k - 1], &a[k]);
}

/* When the cut would leave one family only, the best of the other takes the last place. */
static void balance(struct mx_list *list, size_t limit)
{
	bool v6 = net_addr_is_v6(&list->addrs[0].addr);

	for (size_t i = 1; i < limit; i++)
		if (net_addr_is_v6(&list->addrs[i].addr) != v6)
			return;
	for (size_t i = limit; i < list->count; i++) {
		if (net_addr_is_v6(&list->addrs[i].addr) == v6)
			continue;
		list->addrs[limit - 1] = list->addrs[i];
		return;
	}
}

void mx_order(struct mx_list *list, const struct smtp_params *params)
{
	size_t limit = (size_t)params->mx_address_limit;

	if (params->randomize_addresses && list->count > 1)
		shuffle(list->addrs, list->count);
	sort(list->addrs, list->count, params->address_preference);
	if (limit == 0 || list->count <= limit)
		return;
	if (params->balance_inet_protocols && limit > 1)
		balance(list, limit);
	list->count = limit;
}
