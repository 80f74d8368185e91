/* SPDX-License-Identifier: ISC */
/*
 * note QUEUE_DIRECTORY ID DIR ADDRESS SIZE: tells qmgr that the file DIR/ID goes to ADDRESS by the
 * transport "local", as only the mail system's own processes may.
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "lib/peer/note.h"

int main(int argc, char **argv)
{
	struct recipient rcpt = {.orig = "",
	    .orcpt = "",
	    .transport = "local",
	    .nexthop = "localhost",
	    .status = RCPT_TODO};
	struct envelope env = {.sender = "",
	    .message_id = "",
	    .envid = "",
	    .ret = "",
	    .client_name = "",
	    .client_addr = "",
	    .client_port = "",
	    .helo = "",
	    .protocol = "",
	    .sasl_method = "",
	    .sasl_username = "",
	    .rcpts = &rcpt,
	    .rcpt_count = 1};
	struct location loc = {.lane = -1};
	struct notifier *notifier;
	int size;

	if (argc != 6 || chdir(argv[1]) < 0 || !num_int(argv[5], 0, 1 << 30, &size))
		return 2;
	env.id = argv[2];
	snprintf(loc.dir, sizeof(loc.dir), "%s", argv[3]);
	rcpt.address = argv[4];
	notifier = notifier_new();
	notifier_send(notifier, &env, &loc, (uint64_t)size);
	notifier_free(&notifier);
	return 0;
}
