/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_SERVE_SERVE_H
#define TESTS_FUZZ_SERVE_SERVE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/event/loop.h"

/*
 * A peer process of a service with an event loop: connects, sends the bytes in pieces (of a size
 * that the first byte says), reads and forgets the answers, goes. The log goes nowhere. The service
 * has to have closed its end when this returns.
 */
void serve_bytes(struct loop *loop, void (*accept)(void *arg, int fd), void *arg,
    const uint8_t *data, size_t size);

/* For serve_bytes, of a struct frame_server. */
void serve_frames(void *server, int fd);

#endif
