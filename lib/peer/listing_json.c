/* SPDX-License-Identifier: ISC */
#include "lib/peer/listing_json.h"

#include "lib/base/json.h"

void listing_json_begin(struct str *out, const struct listing_json *m)
{
	str_put_text(out, "{\"queue_name\": ");
	json_put_text(out, m->queue);
	str_put_text(out, ", \"queue_id\": ");
	json_put_text(out, m->id);
	str_printf(out, ", \"arrival_time\": %lld, \"message_size\": %llu, \"forced_expire\": %s",
	    (long long)m->arrival, (unsigned long long)m->size, m->expired ? "true" : "false");
	str_put_text(out, ", \"sender\": ");
	json_put_text(out, m->sender);
	str_put_text(out, ", \"recipients\": [");
}

void listing_json_rcpt(struct str *out, bool first, const char *address, const char *reason)
{
	str_put_text(out, first ? "{\"address\": " : ", {\"address\": ");
	json_put_text(out, address);
	if (reason[0]) {
		str_put_text(out, ", \"delay_reason\": ");
		json_put_text(out, reason);
	}
	str_put_char(out, '}');
}

void listing_json_close(struct str *out)
{
	str_put_char(out, ']');
}
