/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SMTPD_PLAYER_H
#define TESTS_UNIT_SMTPD_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Plays one dialogue file against the session code, over a socket pair, with a scratch queue.
 * A line is a letter, ": " and text; what is not known by its letter is a comment.
 *
 *   P: name = value   a parameter (before the dialogue)
 *   N: name address   the client (before the dialogue); client.example.com 192.0.2.1 by default
 *   C: text           the client sends text and CR LF
 *   R: text           the client sends text with \r \n \t \0 \xHH \\ replaced, and no line end
 *   X: count text     as R, count times
 *   S: text           the next reply line begins with text, or matches /regex/
 *   W: number         the client is silent for so many milliseconds
 *   E:                the server has closed the connection
 *   H:                the client closes the connection
 *   L: text           some later line of the log begins with text or matches /regex/
 *   Q: number         so many messages are in the queue at the end
 *   M: text           the queued messages (content as it is, in order) hold this line
 *   V: key value      the last message's envelope: sender, rcpts, orig, transport, nexthop, ...
 */
bool dialogue_play(const char *path);

#endif
