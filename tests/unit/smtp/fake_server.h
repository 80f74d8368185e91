/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTP_FAKE_SERVER_H
#define TESTS_UNIT_SMTP_FAKE_SERVER_H

#include <sys/types.h>

/*
 * A scripted SMTP server in a child process, on a free port of 127.0.0.1. The script is lines:
 *   >text       sends text and CR LF           <PREFIX     reads a line that begins so
 *   +text       sends text and CR LF in one piece with the next >
 *   data        reads content to its dot       accept      ends this connection, takes another
 *   close       ends the connection            reset       ... with a TCP reset
 *   stall       reads on, says nothing         endless     a reply without end
 *   longline    10 MB without a line end       wait        reads until the client closes
 *   refuse      closes the listening socket    pause       15 ms
 *   nap         700 ms
 *   deaf        reads nothing for 2.5 s            trickle     reads on slowly for 2.5 s
 * The first connection is taken before the first line. When the script is done, what still comes is
 * read until the client closes. What the client said is kept: lines, "*" (and the client's address,
 * when it is not 127.0.0.1) at each new connection,
 * "!wanted" when another line came than the script says.
 */
struct fake_server {
	pid_t pid;
	unsigned port;
	int log_fd;
};

struct fake_server fake_server_start(const char *script);
/* Waits (a few seconds) for the script's end, kills what is left; the transcript, to be freed. */
char *fake_server_stop(struct fake_server *server);

#endif
