/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_NEAR_H
#define LIB_BASE_NEAR_H

#include <stddef.h>

/*
 * For "did you mean": the number of edits that lead from one word to the other, swaps of neighbours
 * counted as one; far + 1 when it is clearly beyond, or a word is longer than 96 bytes.
 */
size_t near_distance(const char *a, const char *b, size_t far);

#endif
