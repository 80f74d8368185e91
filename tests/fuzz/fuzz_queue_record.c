/* SPDX-License-Identifier: ISC */
/*
 * The file of a message, as message_open_fd reads it. The checksums are first tried as they are,
 * then made right: behind them nothing may be believed either.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/crc32c.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/queue/record.h"
#include "lib/queue/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct message *m)
{
	struct rcpt_cursor cursor = {0, 0};
	struct arena arena = {0};
	struct recipient r;
	struct err err;
	uint32_t n = 0;
	int rc;

	must(m->env.id && m->env.sender && m->env.attributes);
	while ((rc = message_next_rcpt(m, &cursor, &arena, &r, &err)) == 1) {
		must(r.address && r.nexthop);
		must(r.status == RCPT_TODO || r.status == RCPT_DONE || r.status == RCPT_BOUNCED);
		must(++n <= m->env.rcpt_count);
	}
	must(rc < 0 || n == m->env.rcpt_count);
	arena_fini(&arena);
}

static void open_as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("record", MFD_CLOEXEC);
	struct message m;
	struct err err = {0};
	int rc;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	rc = message_open_fd(fd, &m, &err);
	if (rc == 0) {
		walk(&m);
		message_close(&m);
	}
	must(rc >= 0 || err.text[0]);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_head head;
	uint8_t *sealed;

	if (size > 100000)
		return 0;
	open_as_file(data, size);
	if (size < RECORD_HEAD)
		return 0;
	sealed = malloc(size);
	memcpy(sealed, data, size);
	le_put32(sealed + 120, crc32c(0, sealed, 120));
	if (record_head_decode(sealed, &head) == RECORD_VALID && record_len(&head) <= size) {
		le_put32(sealed + 28, crc32c(0, sealed + record_env_at(&head), head.env_len));
		le_put32(sealed + 120, crc32c(0, sealed, 120));
	}
	open_as_file(sealed, size);
	free(sealed);
	return 0;
}
