/* SPDX-License-Identifier: ISC */
#include "lib/base/attr.h"
#include "lib/queue/store.h"

static const struct conf_param rows[] = {
    CONF_INT(struct queue_params, journal_lane_count, "journal_lane_count", "64", 1, 256,
        "Most lanes (files) that the journal of new mail may have; they are made when needed."),
    CONF_SIZE(struct queue_params, journal_lane_size, "journal_lane_size", "4194304", 65536,
        1 << 30, "Size in bytes of one lane of the journal, preallocated."),
    CONF_SIZE(struct queue_params, journal_message_limit, "journal_message_limit", "262144", 0,
        1 << 24,
        "New messages above this size in bytes rest in queue files of their own; 0: all do."),
    CONF_TEXT(struct queue_params, hash_queue_names, "hash_queue_names", "deferred, defer",
        "Queue directories that are split into sub-directories."),
    CONF_INT(struct queue_params, hash_queue_depth, "hash_queue_depth", "1", 1, 3,
        "Levels of sub-directories in the directories of hash_queue_names."),
};
const struct conf_table queue_params = {rows, ARRAY_LEN(rows)};
