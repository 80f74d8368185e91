/* SPDX-License-Identifier: ISC */
#ifndef LIB_BASE_CRC32C_H
#define LIB_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of queue records. Start with 0 and
 * feed pieces: crc32c(crc32c(0, a, n), b, m) is the checksum of a followed by b. Uses the
 * processor's instruction where there is one.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
