/* SPDX-License-Identifier: ISC */
#ifndef LIB_QUEUE_ID_H
#define LIB_QUEUE_ID_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Queue ids in Postfix's two forms. `number` takes the place of the inode number: it is unique
 * among messages of the same microsecond (queue_new_id).
 * Short: 5 hex digits of the microsecond, then the number in hex: "3F0ED1A2B3C".
 * Long: seconds and microseconds in base 52 without vowels, 'z', the number in base 51.
 */
enum { QUEUE_ID_MAX = 41 /* with the zero byte */ };

void queue_id_make(char out[QUEUE_ID_MAX], int64_t time_us, uint64_t number, bool long_form);
/* Could this be a queue id (letters and digits only, sane length)? For names from outside. */
bool queue_id_valid(const char *id);
/*
 * The characters by which directories are hashed: the microsecond in hex, in either form (a long
 * id does not begin with it). false: not an id.
 */
bool queue_id_hash_text(const char *id, char out[8]);

#endif
