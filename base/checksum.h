/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum.h: the Internet checksum (RFC 1071), fast. Sums are of 16-bit words
 * in wire order, as host numbers: a length or a port is simply added. Any
 * alignment, any length.
 *
 * A "sum" is not complemented. Sums are added up in a uint32_t, which has room
 * for 65,536 of them, and folded at the end.
 */
#ifndef ADIT_BASE_CHECKSUM_H
#define ADIT_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Folded sum of n bytes; the last of an odd number counts as if a zero byte
 * followed. p may be NULL when n is 0. */
uint16_t checksum_sum(const void *p, size_t n);

/* The same while copying n bytes from src to dst; they must not overlap. */
uint16_t checksum_copy(void *dst, const void *src, size_t n);

/* Add up the carries. */
static inline uint16_t
checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The value of a checksum field: folded and complemented. */
static inline uint16_t
checksum_end(uint32_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/* A sum of bytes that lie at an odd offset of the whole, to be added to the
 * sum of what is before them (RFC 1071 2 (B)). */
static inline uint16_t
checksum_odd(uint16_t sum)
{
	return (uint16_t)(sum << 8 | sum >> 8);
}

/* A checksum field after one 16-bit word of what it covers has changed, RFC
 * 1624 3, equation 3. */
static inline uint16_t
checksum_replace(uint16_t checksum, uint16_t old, uint16_t new)
{
	return checksum_end(
	    (uint32_t)(uint16_t)~checksum + (uint16_t)~old + new);
}

#endif
