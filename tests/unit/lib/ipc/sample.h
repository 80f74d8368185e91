/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LIB_IPC_SAMPLE_H
#define TESTS_UNIT_LIB_IPC_SAMPLE_H

#include "lib/ipc/frame.h"

struct sample_item {
	const char *name;
	uint32_t value;
};
struct sample {
	const char *text;
	uint32_t small;
	uint64_t large;
	struct sample_item one;
	struct frame_list items;
};
extern const struct frame_table sample_table;
extern const struct sample sample;

#endif
