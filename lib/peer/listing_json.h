/* SPDX-License-Identifier: ISC */
#ifndef LIB_PEER_LISTING_JSON_H
#define LIB_PEER_LISTING_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * A message of the queue as an object of JSON on one line, with the members that Postfix's
 * "postqueue -j" has: begin, recipients, end. Appended to out. Further members may be put between
 * listing_json_close and the "}\n" that the caller writes.
 */
struct listing_json {
	const char *queue, *id;
	int64_t arrival;
	uint64_t size;
	bool expired;
	const char *sender;
};
void listing_json_begin(struct str *out, const struct listing_json *m);
void listing_json_rcpt(struct str *out, bool first, const char *address, const char *reason);
void listing_json_close(struct str *out); /* of the recipients */

#endif
