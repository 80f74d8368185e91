/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/conf/conf.h"

#define INT &conf_kind_int
#define SECS &conf_kind_secs

/* clang-format off */
const struct conf_family conf_families[] = {
	{"_destination_concurrency_limit", "default_destination_concurrency_limit", INT, 0, 0, "Most deliveries at once to one destination."},
	{"_destination_recipient_limit", "default_destination_recipient_limit", INT, 0, 0, "Most recipients in one delivery."},
	{"_initial_destination_concurrency", "initial_destination_concurrency", INT, 1, 0, "Deliveries at once to a destination not seen before."},
	{"_destination_concurrency_failed_cohort_limit", "default_destination_concurrency_failed_cohort_limit", INT, 0, 0, "Failed rounds until a destination counts as dead."},
	{"_destination_concurrency_positive_feedback", "default_destination_concurrency_positive_feedback", &conf_kind_feedback, 0, 0, "How fast concurrency grows."},
	{"_destination_concurrency_negative_feedback", "default_destination_concurrency_negative_feedback", &conf_kind_feedback, 0, 0, "How fast concurrency shrinks."},
	{"_destination_rate_delay", "default_destination_rate_delay", SECS, 0, 0, "Pause between deliveries to one destination."},
	{"_transport_rate_delay", "default_transport_rate_delay", SECS, 0, 0, "Pause between deliveries by this transport."},
	{"_recipient_limit", "default_recipient_limit", INT, 0, 0, "Most recipients in memory for this transport."},
	{"_extra_recipient_limit", "default_extra_recipient_limit", INT, 0, 0, "Recipients in memory beyond the limit, for messages that pass others."},
	{"_recipient_refill_limit", "default_recipient_refill_limit", INT, 1, 0, "Recipients read again at once."},
	{"_recipient_refill_delay", "default_recipient_refill_delay", SECS, 1, 0, "Longest pause until recipients are read again."},
	{"_delivery_slot_cost", "default_delivery_slot_cost", INT, 0, 0, "Deliveries after which another message may pass."},
	{"_delivery_slot_discount", "default_delivery_slot_discount", INT, 0, 100, "Percent of slots that need not be earned first."},
	{"_delivery_slot_loan", "default_delivery_slot_loan", INT, 0, 0, "Slots that need not be earned first."},
	{"_minimum_delivery_slots", "default_minimum_delivery_slots", INT, 0, 0, "Slots below which passing is not worth it."},
	{"_time_limit", "command_time_limit", SECS, 1, 0, "Longest run of a delivery command."},
	{NULL, NULL, NULL, 0, 0, NULL},
};
/* clang-format on */

const struct conf_family *conf_family_find(const char *name)
{
	const struct conf_family *best = NULL;
	size_t len = strlen(name), best_len = 0;

	for (const struct conf_family *f = conf_families; f->suffix; f++) {
		size_t n = strlen(f->suffix);

		if (n > best_len && len > n && strcmp(name + len - n, f->suffix) == 0) {
			best = f;
			best_len = n;
		}
	}
	return best;
}

const struct conf_family *conf_family_of(const char *suffix)
{
	for (const struct conf_family *f = conf_families; f->suffix; f++) {
		if (strcmp(f->suffix, suffix) == 0)
			return f;
	}
	return NULL;
}
