/* SPDX-License-Identifier: ISC */
/*
 * Deferred mail for one of fast_flush_domains is written down for flush(8). The line is added here,
 * at the end of the move to deferred/, and not by a request: it costs a few system calls and waits
 * for nobody. A record's loss is no harm: the mail is tried at its time.
 */
#include <string.h>

#include "bounce/bounce.h"
#include "lib/base/log.h"
#include "lib/mail/address.h"
#include "lib/peer/flush.h"
#include "lib/table/match.h"

static bool matches_subdomains(const struct bounce *bounce)
{
	const struct conf_list *list = &bounce->route_params.parent_domain_matches_subdomains;

	for (size_t i = 0; i < list->count; i++) {
		if (text_eq_nocase(list->items[i], "fast_flush_domains"))
			return true;
	}
	return false;
}

static struct match_list *eligible(struct bounce *bounce)
{
	if (!bounce->flush_domains)
		bounce->flush_domains =
		    match_list_open("fast_flush_domains", bounce->params.fast_flush_domains,
		        matches_subdomains(bounce) ? MATCH_SUBDOMAINS : MATCH_DOMAINS);
	return bounce->flush_domains;
}

static const char *domain_of(const struct bounce_record *record)
{
	const char *at = strrchr(record->address, '@');

	return at ? at + 1 : "";
}

/* Recipients of a domain mostly stand together: one line for each run of them. */
void fast_flush_note(
    struct bounce *bounce, const char *id, const struct bounce_record *records, size_t count)
{
	const char *last = "";
	struct err err = {0};

	if (!*bounce->params.fast_flush_domains)
		return;
	for (size_t i = 0; i < count; i++) {
		const char *domain = domain_of(&records[i]);
		enum table_answer answer;

		if (!*domain || text_eq_nocase(domain, last))
			continue;
		last = domain;
		answer = match_list_text(eligible(bounce), domain, &err);
		if (answer == TABLE_ERROR)
			log_warn("fast_flush_domains: %s", err.text);
		if (answer == TABLE_FOUND && flush_log_add(bounce->queue, domain, id, &err) < 0)
			log_warn("%s: %s", id, err.text);
	}
}
